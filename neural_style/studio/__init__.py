"""The studio: a page in the browser on which pictures are chosen, painted and changed.

The server (app.py, behind guard.py) reads no picture and computes nothing: processes of their own do (child.py), some
that stay (helper.py) and one for each job of the queue (jobs.py). One folder of plain files has it all (folder.py).
"""
