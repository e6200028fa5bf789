"""Everything that hands personal data out, erases it or looks for it."""
