"""A small scripted agent loop whose tools really run, for conversations that may be committed and shared."""
