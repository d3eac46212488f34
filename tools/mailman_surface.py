"""What Mailman 3.3.10 offers to clients and administrators, to be compared with what is here."""

# Addresses of REST in Mailman's words, with their methods; those of one version only say which.
ENDPOINTS = (
    ("/system", "GET", ""),
    ("/system/versions", "GET", ""),
    ("/system/preferences", "GET", ""),
    ("/system/configuration", "GET", ""),
    ("/system/configuration/{section}", "GET", ""),
    ("/system/pipelines", "GET", ""),
    ("/system/chains", "GET", ""),
    ("/domains", "GET POST", ""),
    ("/domains/{d}", "GET PUT PATCH DELETE", ""),
    ("/domains/{d}/lists", "GET", ""),
    ("/domains/{d}/owners", "GET POST DELETE", ""),
    ("/domains/{d}/uris", "GET PUT PATCH DELETE", "3.1"),
    ("/domains/{d}/uris/{template}", "GET PUT PATCH DELETE", "3.1"),
    ("/lists", "GET POST", ""),
    ("/lists/styles", "GET", ""),
    ("/lists/find", "GET POST", ""),
    ("/lists/{l}", "GET DELETE", ""),
    ("/lists/{l}/{role}/{e}", "GET PATCH DELETE", ""),
    ("/lists/{l}/roster/{role}", "GET DELETE", ""),
    ("/lists/{l}/config", "GET PUT PATCH", ""),
    ("/lists/{l}/config/{attribute}", "GET PUT PATCH DELETE", ""),
    ("/lists/{l}/archivers", "GET PUT PATCH", ""),
    ("/lists/{l}/digest", "GET POST", ""),
    ("/lists/{l}/held", "GET", ""),
    ("/lists/{l}/held/count", "GET", ""),
    ("/lists/{l}/held/{request_id}", "GET POST", ""),
    ("/lists/{l}/requests", "GET", ""),
    ("/lists/{l}/requests/count", "GET", ""),
    ("/lists/{l}/requests/{token}", "GET POST", ""),
    ("/lists/{l}/bans", "GET POST", ""),
    ("/lists/{l}/bans/{email-or-pattern}", "GET DELETE", ""),
    ("/lists/{l}/header-matches", "GET POST DELETE", ""),
    ("/lists/{l}/header-matches/{position}", "GET PUT PATCH DELETE", ""),
    ("/lists/{l}/header-matches/find", "GET POST", ""),
    ("/lists/{l}/uris", "GET PUT PATCH DELETE", "3.1"),
    ("/lists/{l}/uris/{template}", "GET PUT PATCH DELETE", "3.1"),
    ("/members", "GET POST", ""),
    ("/members/find", "GET POST", ""),
    ("/members/{id}", "GET PATCH DELETE", ""),
    ("/members/{id}/preferences", "GET PUT PATCH DELETE", ""),
    ("/members/{id}/all/preferences", "GET", ""),
    ("/users", "GET POST", ""),
    ("/users/find", "GET", ""),
    ("/users/{u}", "GET PUT PATCH DELETE", ""),
    ("/users/{u}/addresses", "GET POST", ""),
    ("/users/{u}/preferred_address", "GET POST DELETE", ""),
    ("/users/{u}/preferences", "GET PUT PATCH DELETE", ""),
    ("/users/{u}/login", "POST", ""),
    ("/owners", "GET", ""),
    ("/addresses", "GET", ""),
    ("/addresses/{e}", "GET PATCH DELETE", ""),
    ("/addresses/{e}/memberships", "GET", ""),
    ("/addresses/{e}/preferences", "GET PUT PATCH DELETE", ""),
    ("/addresses/{e}/verify", "POST", ""),
    ("/addresses/{e}/unverify", "POST", ""),
    ("/addresses/{e}/user", "GET POST PUT DELETE", ""),
    ("/bans", "GET POST", ""),
    ("/bans/{email-or-pattern}", "GET DELETE", ""),
    ("/uris", "GET PUT PATCH DELETE", "3.1"),
    ("/uris/{template}", "GET PUT PATCH DELETE", "3.1"),
    ("/queues", "GET", ""),
    ("/queues/{name}", "GET POST", ""),
    ("/queues/{name}/{filebase}", "DELETE", ""),
    ("/plugins", "GET", "3.1"),
    ("/plugins/{name}[/…]", "", "3.1"),
    ("/templates/{fqdn}/{template}[/{language}]", "GET", "3.0"),
    ("/reserved/reset", "GET", ""),
    ("/reserved/uids/orphans", "DELETE", ""),
)

# Attributes of a list's configuration.
WRITABLE = (
    "acceptable_aliases", "accept_these_nonmembers", "admin_immed_notify", "admin_notify_mchanges", "administrivia",
    "advertised", "allow_list_posts", "anonymous_list", "archive_policy", "archive_rendering_mode",
    "autorespond_owner", "autorespond_postings", "autorespond_requests", "autoresponse_grace_period",
    "autoresponse_owner_text", "autoresponse_postings_text", "autoresponse_request_text", "bounce_info_stale_after",
    "bounce_notify_owner_on_bounce_increment", "bounce_notify_owner_on_disable", "bounce_notify_owner_on_removal",
    "bounce_score_threshold", "bounce_you_are_disabled_warnings", "bounce_you_are_disabled_warnings_interval",
    "collapse_alternatives", "convert_html_to_plaintext", "default_member_action", "default_nonmember_action",
    "description", "digest_send_periodic", "digest_size_threshold", "digest_volume_frequency", "digests_enabled",
    "display_name", "discard_these_nonmembers", "dmarc_mitigate_action", "dmarc_mitigate_unconditionally",
    "dmarc_addresses", "dmarc_moderation_notice", "dmarc_wrapped_message_text", "emergency", "filter_action",
    "filter_content", "filter_extensions", "filter_types", "first_strip_reply_to",
    "forward_unrecognized_bounces_to", "gateway_to_mail", "gateway_to_news", "hold_these_nonmembers",
    "include_rfc2369_headers", "info", "linked_newsgroup", "max_message_size", "max_num_recipients",
    "max_days_to_hold", "member_roster_visibility", "moderator_password", "newsgroup_moderation",
    "nntp_prefix_subject_too", "pass_types", "pass_extensions", "personalize", "posting_pipeline",
    "preferred_language", "process_bounces", "reject_these_nonmembers", "reply_goes_to_list", "reply_to_address",
    "require_explicit_destination", "respond_to_post_requests", "send_goodbye_message", "send_welcome_message",
    "subject_prefix", "subscription_policy", "unsubscription_policy",
)
READ_ONLY = (
    "bounces_address", "created_at", "digest_last_sent_at", "fqdn_listname", "join_address", "last_post_at",
    "leave_address", "list_name", "mail_host", "next_digest_number", "no_reply_address", "owner_address", "post_id",
    "posting_address", "request_address", "usenet_watermark", "volume",
)

# Subcommands of `mailman`.
SUBCOMMANDS = (
    "addmembers", "admins", "aliases", "changeaddress", "conf", "create", "delmembers", "digests", "findmember",
    "gatenews", "help", "import21", "info", "inject", "lists", "members", "notify", "qfile", "remove", "reopen",
    "restart", "shell", "start", "status", "stop", "syncmembers", "unshunt", "version", "withlist",
)

# Subcommands of `mailman-web` that administrators use.
WEB_SUBCOMMANDS = (
    "account_unsetmultipleprimaryemails", "attachments_to_file", "changepassword", "check", "clear_index",
    "clearsessions", "collectstatic", "compilemessages", "compress", "createcachetable", "createsuperuser", "dbshell",
    "dumpdata", "haystack_info", "help", "hyperkitty_import", "hyperkitty_warm_up_cache", "loaddata", "mailman_sync",
    "migrate", "mmclient", "qcluster", "qinfo", "qmemory", "qmonitor", "rebuild_index", "reset_passwords", "runjob",
    "runjobs", "runserver", "sendtestemail", "set_default_site", "shell", "showmigrations", "sqlmigrate",
    "update_index", "update_index_one_list",
)

# Attributes of the other resources: ours by its name in the OpenAPI document, and the keys that Mailman's has.
RESOURCES = (
    ("Versions", "api_version mailman_version python_version self_link"),
    ("Preferences", "acknowledge_posts delivery_mode delivery_status hide_address preferred_language receive_list_copy"
     " receive_own_postings self_link"),
    ("Sections", "sections self_link"),
    ("Pipelines", "pipelines"),
    ("Chains", "chains"),
    ("Domain", "alias_domain base_url description mail_host self_link"),
    ("List", "advertised description display_name fqdn_listname list_id list_name mail_host member_count self_link"
     " volume"),
    ("Styles", "default style_names styles"),
    ("Digest", "next_digest_number volume"),
    ("HeldMessage", "_parsemsg dmarc envsender hold_date lang listid member_moderation_action message_id"
     " moderation_reasons moderation_sender msg original_size original_subject reason received_time request_id rule_hits"
     " rule_misses self_link sender subject to_list version"),
    ("Request", "display_name email list_id token token_owner type when"),
    ("Count", "count"),
    ("HeaderMatch", "action header pattern position self_link tag"),
    ("Ban", "email list_id self_link"),
    ("Member", "address bounce_score delivery_mode display_name email last_bounce_received last_warning_sent list_id"
     " member_id moderation_action role self_link subscription_mode total_warnings_sent user"),
    ("Pending", "token token_owner"),
    ("User", "created_on display_name is_server_owner password self_link user_id"),
    ("Address", "display_name email original_email registered_on self_link user verified_on"),
    ("Template", "name password self_link uri username"),
    ("Queue", "count directory files name self_link"),
    ("Plugin", "class configuration enabled name"),
)  # fmt: skip

# Attributes of a list's configuration that only version 3.0 has.
ONLY_3_0 = (
    "digest_footer_uri", "digest_header_uri", "footer_uri", "goodbye_message_uri", "header_uri", "welcome_message_uri",
)
