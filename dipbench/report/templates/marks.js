// The marks of peaks and stops: their shapes on a canvas, and the letters that stand for them in a legend.
dipbench.marks = (() => {
  const SHAPES = ["square", "triangle", "down", "cross"];  // of stopping rules

  /** Draws the outline of a mark around a place. */
  function outline(ctx, shape, x, y, r) {
    const corners = {
      square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
      diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
      triangle: [[0, -1.2], [1.2, 1], [-1.2, 1]],
      down: [[0, 1.2], [1.2, -1], [-1.2, -1]],
      cross: [[-1, -0.3], [-0.3, -0.3], [-0.3, -1], [0.3, -1], [0.3, -0.3], [1, -0.3], [1, 0.3], [0.3, 0.3], [0.3, 1], [-0.3, 1], [-0.3, 0.3], [-1, 0.3]],
    }[shape];
    if (!corners) { ctx.arc(x, y, r, 0, 2 * Math.PI); return; }
    corners.forEach(([dx, dy], number) => ctx[number ? "lineTo" : "moveTo"](x + dx * r, y + dy * r));
    ctx.closePath();
  }

  function symbol(shape) {
    return { circle: "○", diamond: "◇", square: "□", triangle: "△", down: "▽", cross: "✚" }[shape];
  }

  return { SHAPES, outline, symbol };
})();
