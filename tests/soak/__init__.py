"""Ten thousand visits' worth of taps in a bad world (`make soak`): outcomes counted, none may be wrong."""
