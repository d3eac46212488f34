"""Texts with Mailman 2.1's placeholders, such as `%(real_name)s`, as templates of Postroad."""

import re
from collections.abc import Mapping
from types import MappingProxyType

_VARIABLES: Mapping[str, str] = MappingProxyType({
    "real_name": "${display_name}", "listname": "${display_name}", "list_name": "${listname}",
    "fqdn_listname": "${listname}", "_internal_name": "${list_name}", "internal_name": "${list_name}",
    "host_name": "${domain}", "hostname": "${domain}", "description": "${description}", "info": "${info}",
    "user_address": "${user_email}", "user": "${user_email}", "email": "${user_email}", "addr": "${user_email}",
    "member": "${user_email}", "address": "${user_email}", "user_delivered_to": "${user_delivered_to}",
    "user_name": "${user_name}", "username": "${user_name}", "listurl": "${mailinglist_url}",
    "listinfo_url": "${mailinglist_url}", "user_optionsurl": "${mailinglist_url}", "optionsurl": "${mailinglist_url}",
    "options_url": "${mailinglist_url}", "requestemail": "${request_email}", "requestaddr": "${request_email}",
    "requestaddress": "${request_email}", "adminemail": "${owner_email}", "owneremail": "${owner_email}",
    "listowner": "${owner_email}", "listadmin": "${owner_email}", "owneraddr": "${owner_email}",
    "got_list_email": "${listname}", "emailaddr": "${listname}", "got_listinfo_url": "${mailinglist_url}",
    "got_request_email": "${request_email}", "got_owner_email": "${owner_email}", "got_digest_header": "",
    "cgiext": "", "user_password": "", "password": "", "confirmurl": "${confirm_url}", "sender": "${sender_email}",
    "subject": "${subject}", "reason": "${reasons}", "request": "${request}", "volume": "${volume}",
    "issue": "${issue}",
})  # fmt: skip
_PLACEHOLDER = re.compile(r"%\((\w{1,40})\)[sd]")
_PAGE = re.compile(
    r"%\(web_page_url\)s(?:listinfo|options|private|admin)?%?(?:\(cgiext\)s)?/?(?:%\(_internal_name\)s)?"
)
_ADDRESS = re.compile(r"%\((?:real_name|list_name|_internal_name)\)s(-\w+)?@%\(host_name\)s")


def template_text(text: str) -> tuple[str, list[str]]:
    """The text as a template, and the placeholders nothing here stands for; they stay as they are."""
    text = text.replace("\r\n", "\n").replace("$", "$$")
    text = _ADDRESS.sub(lambda m: f"${{list_name}}{m[1]}@${{domain}}" if m[1] else "${listname}", text)
    text = _PAGE.sub("${mailinglist_url}", text)
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in _VARIABLES]
    return _PLACEHOLDER.sub(lambda m: _VARIABLES.get(m[1], m[0]), text).replace("%%", "%"), unknown


def answer_text(text: str) -> str:
    """The text of an automatic answer as a template."""
    return template_text(text)[0]
