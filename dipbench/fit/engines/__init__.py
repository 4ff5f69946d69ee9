"""How an iteration is computed: the engines and precisions, none of which changes what is fitted."""
