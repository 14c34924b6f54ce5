"""What the service would have sent to people: kept for reading, never sent."""

from datetime import date, timedelta

import attrs

from .records import Lead

# "Create Lead": tenants are invited when the tenancy starts within two weeks.
_INVITE_WINDOW = timedelta(days=14)

# "Create Lead": a reminder after 72 hours, and after another 72 hours the suppliers are told.
_SUPPLIER_DELAY = 2 * 72 * 3600


@attrs.frozen
class Message:
    """One message: `kind` is "sms", "email" or "supplier"; `about` names the cause, "lead/1".

    `due` is the time (seconds since 1970) at which the service would send it.
    """

    kind: str
    to: str = attrs.field(repr=False)
    subject: str
    text: str = attrs.field(repr=False)
    about: str
    due: float


def messages_of_lead(lead: Lead, today: date, *, invite_past_starts: bool) -> list[Message]:
    """Return what "Create Lead" sets off for this lead when it is created today."""
    about = f"lead/{lead.id}"
    messages = []
    ahead = date.fromisoformat(lead.tenancy_start) - today
    earliest = -_INVITE_WINDOW if invite_past_starts else timedelta()
    if earliest <= ahead <= _INVITE_WINDOW:
        subject = "Set up the bills of your new home"
        for tenant in lead.tenants:
            text = f"Hello {tenant.first_name}, sign up to a bills package for your new home."
            messages += [
                Message("sms", tenant.phone_number, subject, text, about, lead.created_at),
                Message("email", tenant.email_address, subject, text, about, lead.created_at),
            ]
    if lead.notifications:
        change = "an existing tenancy" if lead.existing_tenancy else "a new tenancy"
        messages.append(
            Message(
                "supplier",
                f"suppliers of property/{lead.property_id}",
                "Change of tenancy",
                f"There is {change} from {lead.tenancy_start}.",
                about,
                lead.created_at + _SUPPLIER_DELAY,
            )
        )
    return messages
