"""The verbs of people: users, addresses, who owns which, preferences, merging two users."""

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import IntegrityError, transaction
from django.db.models import ManyToManyRel, Model, OneToOneRel
from django.utils import timezone

from postroad.community.people import sign_in
from postroad.community.people.models import DIGEST_MODES, PREFERENCE_NAMES, Address, Preferences, User
from postroad.community.people.queries import find_address, find_user, is_known
from postroad.foundation.errors import BadInput, Conflict
from postroad.foundation.languages import LANGUAGES
from postroad.foundation.message.addresses import identity, is_valid_email
from postroad.foundation.rows import add, insert

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "delivery_mode": tuple(Preferences.DeliveryMode.values),
    "delivery_status": tuple(Preferences.DeliveryStatus.values),
    "preferred_language": tuple(LANGUAGES),
}

# --- addresses


def ensure_address(email: str, display_name: str = "") -> Address:
    """The address, made if nobody used it before; the name is kept only then.

    Raises:
        BadInput: it is no mail address.
    """
    found = find_address(email)
    if found is not None:
        return found
    if not is_valid_email(email):
        raise BadInput(f"Invalid email address: {email}")
    made, _ = Address.objects.get_or_create(
        email=identity(email), defaults={"original_email": email, "display_name": _name(display_name)}
    )
    return made


def _name(text: str) -> str:
    """A display name on one line, as long as its column."""
    return " ".join(text.replace("\0", " ").split())[:255]


@transaction.atomic
def set_address_name(address: Address, display_name: str) -> None:
    """Change what the address is called."""
    address.display_name = _name(display_name)
    address.save(update_fields=["display_name"])


@transaction.atomic
def link_address(user: User, address: Address) -> None:
    """Let the address belong to this user.

    Raises:
        BadInput: it belongs to another one.
    """
    if address.user_id not in (None, user.pk):
        raise BadInput(f"Address belongs to another user: {address.email}")
    address.user = user
    address.save(update_fields=["user"])
    sign_in.follow(address)


@transaction.atomic
def unlink(address: Address) -> None:
    """Let the address belong to nobody; its own subscriptions stay."""
    former = address.user
    if former is None:
        return
    if former.preferred_address_id == address.pk:
        clear_preferred_address(former)
    address.user = None
    address.save(update_fields=["user"])
    sign_in.follow(address)
    sign_in.settle(former)


@transaction.atomic
def add_address(user: User, email: str, display_name: str = "", *, absorb_existing: bool = False) -> Address:
    """Give the user another address; one of another user's only with `absorb_existing`, which merges that user in.

    Raises:
        BadInput: no mail address, or it belongs to somebody already.
    """
    address = ensure_address(email, display_name)
    owner = address.user
    if owner is None:
        link_address(user, address)
    elif not absorb_existing:
        raise BadInput("Address belongs to other user")  # Programs compare this text.
    elif owner.pk != user.pk:
        absorb(user, owner)
        address.refresh_from_db()
    return address


@transaction.atomic
def rename_address(address: Address, new: str) -> None:
    """Put another address in this one's place; memberships, verification and preferences stay.

    Raises:
        BadInput: it is no mail address, or the same.
        Conflict: it exists already; one that differs in case only is this one.
    """
    if not is_valid_email(new):
        raise BadInput(f"Invalid email address: {new}")
    if new == address.original_email:
        raise BadInput(f"Addresses are identical: {new}")
    if identity(new) != address.email and find_address(new) is not None:
        raise Conflict(f"Address already exists: {new}")
    old = address.email
    address.email, address.original_email = identity(new), new
    address.save(update_fields=["email", "original_email"])
    for model, _, column in _copies():
        model._default_manager.filter(**{column: old}).update(**{column: address.email})
    sign_in.rename(old, address)


def _copies() -> Iterator[tuple[type[Model], str, str]]:
    """Where slices above repeat addresses: model, its user, its column."""
    for label, user, column in django_settings.COPIES_OF_AN_ADDRESS:
        yield apps.get_model(label), user, column


def _prefer(user: User, address: Address | None) -> None:
    """Let mail for the user go by this address."""
    user.preferred_address = address
    user.save(update_fields=["preferred_address"])
    for model, owner, column in _copies():
        model._default_manager.filter(**{owner: user}).update(**{column: address.email if address else None})


@transaction.atomic
def delete_address(address: Address) -> None:
    """Delete the address with its subscriptions."""
    unlink(address)
    for label, field in django_settings.ROWS_OF_AN_ADDRESS:
        model: type[Model] = apps.get_model(label)
        model._default_manager.filter(**{field: address.email}).delete()
    address.delete()


@transaction.atomic
def verify(address: Address) -> None:
    """Note that whoever uses the address has shown to own it; the first time counts."""
    if address.verified_on is None:
        address.verified_on = timezone.now()
        address.save(update_fields=["verified_on"])
    if address.user_id is not None:
        sign_in.follow(address)


@transaction.atomic
def unverify(address: Address) -> None:
    """Forget that the address was shown to be owned."""
    address.verified_on = None
    address.save(update_fields=["verified_on"])
    if address.user_id is not None:
        sign_in.follow(address)


@transaction.atomic
def adopt(user: User) -> None:
    """Take over what the user proved when signing in: those addresses are verified, and the user's.

    Who proves to own an address gets it from a user who never did or did before; that one's other belongings stay.
    """
    for email in sign_in.proved(user):
        address = ensure_address(email)
        if address.user_id == user.pk and address.verified_on is not None:
            continue
        former = address.user
        if former is not None and former.pk != user.pk:
            if former.preferred_address_id == address.pk:
                clear_preferred_address(former)
            address.user = None
        link_address(user, address)
        verify(address)
        if former is not None and former.pk != user.pk:
            sign_in.settle(former)
    if user.preferred_address is None:
        _prefer_first(user)


def _prefer_first(user: User) -> None:
    _prefer(user, user.addresses.filter(verified_on__isnull=False).order_by("pk").first())


# --- users


@transaction.atomic
def create_user(
    email: str, display_name: str = "", password: str | None = None, *, is_server_owner: bool = False
) -> User:
    """A user with this one address, which is not verified by that; without password, sign-in is by mail.

    Raises:
        BadInput: no mail address, or it belongs to a user already.
    """
    address = ensure_address(email, display_name)
    if address.user_id is not None:
        raise BadInput(f"Address belongs to a user already: {address.email}")
    user = User.objects.create_user(
        "", password or None, display_name=_name(display_name) or address.display_name, is_superuser=is_server_owner,
        is_staff=is_server_owner,
    )  # fmt: skip
    link_address(user, address)
    return user


def create_newcomer(email: str, display_name: str = "", *, verified: bool = False) -> Address | None:
    """Address and user of somebody whom nobody here ever met, in three statements; None when the address is known.

    Raises:
        BadInput: it is no mail address.
    """
    if is_known(email):
        return None
    if not is_valid_email(email):
        raise BadInput(f"Invalid email address: {email}")
    name = _name(display_name)
    # As Django's own, which asks the system for each character of it.
    password = UNUSABLE_PASSWORD_PREFIX + secrets.token_urlsafe(30)
    user = add(User, email=identity(email), display_name=name, password=password)
    address = Address(
        email=identity(email), original_email=email, display_name=name, user_id=user,
        verified_on=timezone.now() if verified else None,
    )  # fmt: skip
    sign_in.begin(insert(address))
    return address


@transaction.atomic
def ensure_user(email: str, display_name: str = "") -> User:
    """The user of this address, made if there is none.

    Raises:
        BadInput: it is no mail address.
    """
    return find_user(ensure_address(email, display_name).email) or create_user(email, display_name)


@transaction.atomic
def change_user(
    user: User,
    *,
    display_name: str | None = None,
    cleartext_password: str | None = None,
    is_server_owner: bool | None = None,
) -> None:
    """Set what is given; None leaves it as it is."""
    if display_name is not None:
        user.display_name = _name(display_name)
    if cleartext_password is not None:
        user.set_password(cleartext_password)
    if is_server_owner is not None:
        user.is_superuser = user.is_staff = is_server_owner
    user.save(update_fields=["display_name", "password", "is_superuser", "is_staff"])


@transaction.atomic
def delete_user(user: User) -> None:
    """Delete the user with all addresses and subscriptions."""
    for address in list(user.addresses.all()):
        delete_address(address)
    user.delete()


@transaction.atomic
def set_preferred_address(user: User, email: str) -> Address:
    """Let mail for the user, and posts by the user, go by this address; it becomes the user's if it is nobody's.

    Raises:
        BadInput: the address does not exist, is another user's, or is not verified.
    """
    address = find_address(email)
    if address is None:
        raise BadInput(f"Address does not exist: {email}")
    if address.user_id not in (None, user.pk):
        raise BadInput(f"Address belongs to another user: {email}")
    if address.verified_on is None:
        raise BadInput(f"Address is not verified: {email}")
    if address.user_id is None:
        link_address(user, address)
    _prefer(user, address)
    return address


def clear_preferred_address(user: User) -> None:
    """Let the user have no preferred address."""
    _prefer(user, None)


# --- preferences


def check_preferences(values: Mapping[str, Any]) -> None:
    """Look at preferences before they are set.

    Raises:
        BadInput: an unknown preference, or a value that is not allowed.
    """
    for name, value in values.items():
        if name not in PREFERENCE_NAMES:
            raise BadInput(f"Unknown preference {name}; allowed are {', '.join(PREFERENCE_NAMES)}")
        allowed = _CHOICES.get(name)
        if value is not None and allowed is not None and value not in allowed:
            raise BadInput(f'Invalid Parameter "{name}": Accepted Values are: {", ".join(allowed)}.')
        if value is not None and allowed is None and not isinstance(value, bool):
            raise BadInput(f'Invalid Parameter "{name}": Not true or false: {value}.')


def set_preferences(holder: Preferences, values: Mapping[str, Any]) -> None:
    """Set preferences of a member, an address or a user; None asks the next level.

    Raises:
        BadInput: an unknown preference, or a value that is not allowed.
    """
    check_preferences(values)
    changes = dict(values)
    if "delivery_mode" in changes:
        changes |= _digest_left(holder, changes["delivery_mode"])
    for name, value in changes.items():
        setattr(holder, name, value)
    holder.save(update_fields=list(changes))


def _digest_left(holder: Preferences, mode: str | None) -> dict[str, Any]:
    """What is noted of a change of mode, so that who leaves a digest half way still gets it."""
    if mode in DIGEST_MODES:
        return {"digest_left": None, "digest_left_at": None}
    if holder.delivery_mode in DIGEST_MODES:
        return {"digest_left": holder.delivery_mode, "digest_left_at": time.time()}
    return {}


# --- merging


@transaction.atomic
def absorb(user: User, other: User) -> None:
    """Merge another user into this one, who keeps what both have; the other one is deleted.

    Raises:
        BadInput: they are the same.
    """
    if user.pk == other.pk:
        raise BadInput("A user cannot be merged with itself")
    addresses = list(other.addresses.all())
    preferred = other.preferred_address
    move_rows(user, other)
    for name in PREFERENCE_NAMES:
        if getattr(user, name) is None:
            setattr(user, name, getattr(other, name))
    user.display_name = user.display_name or other.display_name
    user.is_superuser = user.is_superuser or other.is_superuser
    user.is_staff = user.is_staff or other.is_staff
    if not user.has_usable_password():
        user.password = other.password
    user.save()
    _prefer(user, user.preferred_address or preferred)
    other.refresh_from_db()
    other.delete()
    for address in addresses:
        address.user = user
        sign_in.follow(address)


def move_rows(kept: Model, other: Model) -> None:
    """Let everything that points to the other row point to this one, except what this one has already.

    Slices above have rows of people too (memberships, domains owned); they are found by Django, not named here.
    """
    for relation in kept._meta.related_objects:
        model: Any = relation.through if isinstance(relation, ManyToManyRel) else relation.related_model
        field = relation.field.m2m_reverse_field_name() if isinstance(relation, ManyToManyRel) else relation.field.name
        if isinstance(relation, OneToOneRel) and model._default_manager.filter(**{field: kept}).exists():
            continue
        for pk in list(model._default_manager.filter(**{field: other}).values_list("pk", flat=True)):
            try:
                with transaction.atomic():
                    model._default_manager.filter(pk=pk).update(**{field: kept})
            except IntegrityError:
                continue  # This one has the same; the other's goes with the other.
