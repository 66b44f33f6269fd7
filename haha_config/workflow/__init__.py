"""What commands share: sessions, discovery, configuring, applying. No typer here."""
