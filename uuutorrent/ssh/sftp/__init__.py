"""Files in a channel: an SFTP server over the view that `Files` gives of one user's own files."""
