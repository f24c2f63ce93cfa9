"""All of a person's data as a ZIP: JSON that can be imported again, CSV to look at, a README."""
