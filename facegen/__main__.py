"""`python -m facegen …`: the same as `facegen …`."""

from facegen.cli.main import main

if __name__ == "__main__":
    main(prog_name="facegen")
