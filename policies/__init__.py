"""Policy as code. The pack is built in __main__ alone; policies stay importable."""
