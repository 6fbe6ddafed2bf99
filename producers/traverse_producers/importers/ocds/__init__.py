"""OCDS: releases and records of the Open Contracting Data Standard, version 1.1."""
