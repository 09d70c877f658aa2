"""
fsxcopy-sdk and its peers side by side: ``nox -s bench`` runs it.

`__main__` starts every measurement in a process of its own, in the environment of the
peer that is measured, one peer after the other and all of that several times.
`documents` makes what is decoded, `server` answers every call, `worker` measures,
`adapters` say how each peer is used, `report` and `picture` say what came of it.

`worker`, `server` and `adapters` run where nothing but one peer is installed.
"""
