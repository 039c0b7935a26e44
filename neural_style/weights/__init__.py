"""Find, fetch, check and convert the pretrained weights; none of this loads MXNet."""
