"""``python -m ctxengine.cli`` is ``ctxengine``."""

from ctxengine.cli import main

main()
