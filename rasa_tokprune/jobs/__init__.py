"""Runs many independent jobs: in this process, in several, or on a Dask cluster."""
