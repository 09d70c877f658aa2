"""
Use each peer as its own documentation shows it, one module for each.

Each is also a program, ``python -m benchmarks.peers.adapters.ours URL``: it copies one
backup, and prints the id of the copy and the monotonic time at which it had it. Each has

* ``decode(body)``: from the body of DescribeBackups to the backups that a caller keeps;
* ``connect(url)``: a context manager that makes and closes a client;
* ``call(client)``: copy one backup, return the copy's id;
* ``list_all(client)``: list all backups, return them in a list.

The last three are plain functions where the peer is synchronous.
"""
