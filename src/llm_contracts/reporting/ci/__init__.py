"""A stored result for a CI service: JUnit, a job summary, one comment on the pull request, annotations.

All of it is text that others render: nothing that a model or a provider said may become markup, a mention, a
link or a command there.
"""
