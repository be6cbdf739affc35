"""Who may come in: tokens, who they belong to, and who has shown too many wrong ones."""
