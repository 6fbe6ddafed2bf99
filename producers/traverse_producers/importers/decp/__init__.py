"""DECP: the essential data of awarded contracts that French buyers must publish."""
