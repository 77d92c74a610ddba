"""Physical rooms and equipment: what there is, and who has it when."""
