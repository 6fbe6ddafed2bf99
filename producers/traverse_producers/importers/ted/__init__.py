"""TED: the notices of the Supplement to the Official Journal of the EU, in TED XML."""
