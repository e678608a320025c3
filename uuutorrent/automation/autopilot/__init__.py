"""New episodes of what people watch, fetched or offered by itself."""
