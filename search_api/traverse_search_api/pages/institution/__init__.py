"""« Mon institution »: what it published, how well, who reads it, what was refused and why.

routes             its page
view               as data
field_names        what people call a field
quality            how well it publishes, by rules
quality_routes     « Qualité »
permanence_routes  « Permanences »
"""
