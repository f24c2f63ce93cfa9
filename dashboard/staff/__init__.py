"""The staff dashboard: pages of figures, all read from roll-ups and rows that are kept anyway."""
