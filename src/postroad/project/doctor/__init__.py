"""What `postroad doctor` looks at: a module for each check, all of them named in `checks.py`."""
