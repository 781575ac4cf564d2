"""How this box is: what it feels (heat, power, disk), what it tells the fleet, and `kiosk doctor`."""
