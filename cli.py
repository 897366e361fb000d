"""facegen in a checkout: python cli.py …"""

from facegen.cli.entry import main

if __name__ == "__main__":
    main()
