"""What costs money and serves nobody."""
