"""The report of a day or a month: one HTML file to read and to print. From counts alone; nobody's data."""
