"""eForms: the notices of Implementing Regulation (EU) 2019/1780, in UBL 2.3."""
