"""The table of what is known of the installation itself, of which there is one for each database."""

from tortoise import fields
from tortoise.models import Model


class Installation(Model):
    """One fact about the installation, such as the fingerprint of its server's secret."""

    name = fields.CharField(max_length=40, primary_key=True)
    """`installation.Fact`"""
    value = fields.CharField(max_length=200)

    class Meta:
        table = "installation"
