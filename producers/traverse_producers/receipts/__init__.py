"""What became of an event: receipts and rejections, followed from the log and looked up."""
