"""BOAMP: the notices of the Bulletin officiel des annonces des marchés publics, by its API."""
