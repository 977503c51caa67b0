"""The command line: `tariffs duty`, `impact`, `scenario`, `law`, `serve`."""
