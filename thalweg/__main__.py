"""`python -m thalweg script.py [arguments]` runs a program; `python -m thalweg COMMAND` is `thalweg COMMAND`."""

from thalweg._src.cli.main import main

if __name__ == "__main__":
    main()
