"""`python -m facegen …`: the same as `facegen …`."""

from facegen.cli.entry import main

if __name__ == "__main__":
    main()
