"""Four LEDs and a buzzer: what each state shows and sounds, and the pins that do it."""
