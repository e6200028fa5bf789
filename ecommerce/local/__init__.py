"""The store on one machine: what stands behind `make run`, `make test` and `make clean-data`."""
