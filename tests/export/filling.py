"""What emulators of exports are filled with."""

from homebox_async.emulator import Address, Emulator


def add_homes(emulator: Emulator, count: int, line1: str = "High Street") -> None:
    """Add so many homes with references."""
    for _ in range(count):
        number = len(emulator.store.properties) + 1
        emulator.store.add_property(
            Address(f"{number} {line1}", None, "Leeds", None, "LS1 1AA"), reference=f"R{number}"
        )


def add_reading(emulator: Emulator, property_id: int, order_id: int | None = None) -> None:
    """Add a gas reading."""
    emulator.store.add_reading(
        property_id=property_id,
        order_id=order_id,
        kind="Gas",
        reading="04711",
        reading2=None,
        date_of_reading="2026-11-01",
        source=None,
    )
