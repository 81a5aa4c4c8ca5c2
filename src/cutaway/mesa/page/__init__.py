"""Pictures of what signs read, as one page of HTML."""
