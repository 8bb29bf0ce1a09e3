"""Images: sizes, crops, colours, boxes, pictures as files."""
