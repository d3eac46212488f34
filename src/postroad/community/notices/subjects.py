"""The subject of each notice, and who it is from; variables as in the texts (facts: mail-flow §26)."""

from collections.abc import Mapping
from types import MappingProxyType

SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "domain:admin:notice:new-list": "Your new mailing list $listname",
        "list:admin:action:post": "$listname post from $sender_email requires approval",
        "list:admin:action:subscribe": "$member would like to join $list_name",
        "list:admin:action:unsubscribe": "$member would like to leave $list_name",
        "list:admin:notice:disable": "$list_name: delivery to $member is switched off",
        "list:admin:notice:increment": "$list_name: mail to $member came back",
        "list:admin:notice:pending": "$count requests wait for $listname",
        "list:admin:notice:removal": "$list_name: $member was removed",
        "list:admin:notice:subscribe": "$member joined $list_name",
        "list:admin:notice:unrecognized": "A mail to the bounce address of $listname",
        "list:admin:notice:unsubscribe": "$member left $list_name",
        "list:user:action:invite": "You are invited to join $listname",
        "list:user:action:options": "Please confirm a change for $listname",
        "list:user:action:subscribe": "Please confirm that you join $listname",
        "list:user:action:unsubscribe": "Please confirm that you leave $listname",
        "list:user:notice:goodbye": "You have left the $list_name mailing list",
        "list:user:notice:hold": "Your message to $listname awaits moderator approval",
        "list:user:notice:no-more-today": "No more automatic answers from $listname today",
        "list:user:notice:post": "Your post to $list_name was sent",
        "list:user:notice:probe": "Does $listname still reach you?",
        "list:user:notice:refuse": 'Request to mailing list "$list_name" rejected',
        "list:user:notice:rejected": "Your message to $listname was not accepted",
        "list:user:notice:warning": "Your delivery from $listname is switched off",
        "list:user:notice:welcome": "Welcome to the $list_name mailing list",
    }
)
AUTOMATIC_ANSWER = "Automatic answer to your message to the $list_name mailing list"
RESULTS = "The results of your mail commands"
