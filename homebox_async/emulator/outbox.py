"""What the service would have sent to people: kept for reading, never sent."""

from datetime import date, timedelta
from typing import Literal

import attrs

from .package_records import Branch, Invite, Payer, Payment, Tenancy
from .records import Lead

# "Create Lead": tenants are invited when the tenancy starts within two weeks.
_INVITE_WINDOW = timedelta(days=14)

# "Create Lead": a reminder after 72 hours, and after another 72 hours the suppliers are told.
SUPPLIER_DELAY = 2 * 72 * 3600

MessageKind = Literal["sms", "email", "supplier", "debit"]


@attrs.frozen
class Message:
    """One message: `kind` is "sms", "email", "supplier" or "debit"; `about` names its cause.

    The cause is for example "lead/1"; `due` is the time (seconds since 1970) at which the service
    would send it.
    """

    kind: MessageKind
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
                lead.created_at + SUPPLIER_DELAY,
            )
        )
    return messages


def messages_of_invite(invite: Invite) -> list[Message]:
    """Return what "Invite Bill Payer" sends each time: an SMS with a sign-up link."""
    text = f"Hello {invite.first_name}, sign up to your bills package: invite/{invite.id}"
    about = f"invite/{invite.id}"
    subject = "Your bills package"
    return [Message("sms", invite.phone_number, subject, text, about, invite.sent_at)]


def messages_of_payer(payer: Payer) -> list[Message]:
    """Return what "Add Bill Payer" sets off: a direct debit and its confirmation by email."""
    subject = "Your direct debit has been created"
    text = f"Hello {payer.first_name}, your direct debit is being set up."
    about, due = f"payer/{payer.id}", payer.created_at
    return [
        Message("debit", payer.account_name, "Direct debit instruction", "", about, due),
        Message("email", payer.email, subject, text, about, due),
    ]


def messages_of_payment(payment: Payment) -> list[Message]:
    """Return what an attempt to take money sets off: a debit, unless it is a bank transfer."""
    if payment.method != "direct-debit":
        return []
    about = f"payment/{payment.id}"
    payer = f"{payment.first_name} {payment.last_name}"
    text = f"{payment.amount} GBP"
    return [Message("debit", payer, "Monthly payment", text, about, payment.created_at)]


def messages_of_void(tenancy: Tenancy) -> list[Message]:
    """Return what "Create Void Period" tells the suppliers; nothing for other tenancies."""
    if tenancy.void is None:
        return []
    about, due = f"tenancy/{tenancy.id}", tenancy.created_at
    suppliers = f"suppliers of property/{tenancy.property_id}"
    messages = []
    if tenancy.void.is_premium:
        # "the energy will be switched to our chosen void supplier"
        text = f"The energy goes to the void supplier from {tenancy.start}."
        messages.append(Message("supplier", suppliers, "Supplier switch", text, about, due))
    if tenancy.void.notifications:
        text = f"There is a void period from {tenancy.start}."
        messages.append(Message("supplier", suppliers, "Change of tenancy", text, about, due))
    return messages


def messages_of_branch(branch: Branch) -> list[Message]:
    """Return what "Create Branch Accounts" sends: an email with an invitation."""
    text = f"Set up the account of {branch.name}."
    about = f"branch/{branch.id}"
    return [Message("email", branch.email or "", "You are invited", text, about, branch.created_at)]
