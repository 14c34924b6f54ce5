"""d"""
import click
@click.command()
def command() -> None:
    """Check the set-up, from the config file to the server's answers."""
