/* Every size, depth, count and loop that outside bytes can drive, by name. Each is tested at it and one above. */
#pragma once

#define LIMIT_JSON_DEPTH          16
#define LIMIT_REQUEST_ARENA       (1024 * 1024) /* bytes one request may use */
#define LIMIT_BODY                (64 * 1024)   /* form or JSON body, unless the endpoint says more */
#define LIMIT_HEADERS             (12 * 1024)   /* request line and headers together (the connection's pool is 16 KiB) */
#define LIMIT_CONNECTION_POOL     (16 * 1024)        /* bytes libmicrohttpd keeps a connection: LIMIT_HEADERS, its records, the answer's headers */
#define LIMIT_HEADER_LINES        96                 /* header fields of one request */
#define LIMIT_PATH_SEGMENTS       16                 /* of a request's path */
#define LIMIT_CAPTURES            4                  /* {name} segments of one route */
#define LIMIT_BODY_DISCARD        (16 * 1024 * 1024) /* bytes read and dropped so that a client sees its 413 */
#define LIMIT_PROXY_HEADER        1024               /* a PROXY v2 header, TLVs included */
#define LIMIT_LINGER              256                /* refused connections whose leftovers are read at one time */
#define LIMIT_REQUESTS_KEPT       128                /* request objects an event thread keeps for reuse */
#define LIMIT_PARAMS              64            /* parameters in one query or form */
#define LIMIT_PARAM               8192          /* one parameter's decoded bytes, unless its table row says less */
#define LIMIT_JWT                 8192          /* a compact JWT */
#define LIMIT_SCOPE               2048
#define LIMIT_SCOPE_WORDS         64
#define LIMIT_STATE               2048
#define LIMIT_REDIRECT_URI        2048
#define LIMIT_REDIRECT_URIS       32
#define LIMIT_RESOURCES           8     /* resource parameters in one request */
#define LIMIT_JWKS_KEYS           32
#define LIMIT_PASSWORD            1024
#define LIMIT_PASSWORD_MIN        10
#define LIMIT_NAME                128   /* user names, client ids, role names */
#define LIMIT_TEXT                1024  /* any other short text of an object */
#define LIMIT_CLAIM               4096  /* bytes of a custom claim's template as JSON */
#define LIMIT_ATTRIBUTES          8192  /* bytes of the further facts about a person or client, as JSON */
#define LIMIT_CLAIM_DEPTH         8     /* levels of lists and objects in it */
#define LIMIT_CLAIMS              (16 * 1024) /* bytes that custom claims may add to one token */
#define LIMIT_LIST                256   /* members of a list in an object */
#define LIMIT_PAGE                200   /* rows of one listing */
#define LIMIT_REFRESH_GRACE_USES  64    /* how often one consumed refresh token may be answered again */
#define LIMIT_CONFIG_FILE         (8 * 1024 * 1024)
#define LIMIT_QUERY_PARAMS        32            /* $1..$32 of one SQL text */
#define LIMIT_STORE_QUEUE         4096          /* write transactions that wait; one more is ERR_BUSY */
#define LIMIT_STORE_BATCH         256           /* write transactions in one commit */
#define LIMIT_TX_NOTES            65536         /* audit digests of one commit */
#define LIMIT_REVOKED_BATCH       (1024 * 1024) /* bytes of revoked.log of one commit */
#define LIMIT_SERVERS             32            /* on one database: a server's number is the low 5 bits of its ids */
#define LIMIT_COPY_TABLES         64            /* of a store that is copied */
#define LIMIT_COPY_COLUMNS        32            /* of one of its tables */
#define LIMIT_COPY_ROW            (8 * 1024 * 1024)
#define LIMIT_PIPELINE            64            /* statements sent to PostgreSQL before their answers are waited for */
#define LIMIT_NEWS                7000          /* bytes that one commit tells other servers; PostgreSQL takes 8000 */
#define LIMIT_LEASE_MS            2000          /* so long memory is believed after the last word from the database */
#define LIMIT_READ_MS             30000         /* how long one reading may hold the write-ahead log back */
#define LIMIT_EVENT_PAYLOAD       (64 * 1024) /* bytes of one event */
#define LIMIT_EVENT_BATCH         32    /* deliveries of one event_deliver_some */
#define LIMIT_EVENT_ATTEMPTS      80    /* with back-off up to an hour: three days */
#define LIMIT_CONFIG_FILES        64    /* files named by --config, directories included */
#define LIMIT_CONFIG_NODES        1000000 /* nodes of one file, what aliases expand to included */
#define LIMIT_CONFIG_ALIASES      64    /* anchors in one file */
#define LIMIT_CONFIG_FAULTS       20    /* faults told at once */
#define LIMIT_CONFIG_ARENA        (512 * 1024 * 1024)
#define LIMIT_CONTROL_REQUEST     (32 * 1024 * 1024) /* a command on the control socket, its input included */
#define LIMIT_CONTROL_CALLS       4     /* commands at work at once in a server */
#define LIMIT_CLI_ARGS            256
#define LIMIT_CLI_OUT             (256 * 1024 * 1024) /* what one command may print */
#define LIMIT_OBJECT              (64 * 1024)        /* bytes of one configured object as JSON */
#define LIMIT_OBJECT_ARENA        (1024 * 1024)      /* the same in memory, whatever its fields are */
#define LIMIT_TENANT_PARTS        1024               /* roles, resources, webhooks of a tenant, each */
#define LIMIT_TENANT_PARTS_BYTES  (1024 * 1024)      /* the same, as JSON, together */
#define LIMIT_TENANT_ARENA        (16 * 1024 * 1024) /* one tenant's snapshot in memory */
#define LIMIT_ACCESS_TOKEN_LIFE   86400 /* seconds: no access token lives longer, so that retired keys know when to go */
#define LIMIT_CLOCK_SKEW          300   /* seconds two clocks may differ */
#define LIMIT_PUT_TRIES           8     /* how often a write that met another one starts again */
#define LIMIT_SWEEP               500   /* rows a housekeeping transaction deletes */
#define LIMIT_KEY_FILE            4096  /* bytes of a master key file */
#define LIMIT_ROTATIONS           16    /* signing keys made in one housekeeping round */
#define LIMIT_RSA_BITS_MIN        2048
#define LIMIT_RSA_BITS            8192
#define LIMIT_RSA_E_BITS          64            /* a public exponent; a longer one only makes verifying slow */
#define LIMIT_KEY_DER             (8 * 1024)    /* a private key as PKCS #8 */
#define LIMIT_KEY_PEM             (16 * 1024)   /* a PEM text with one key */
#define LIMIT_KEY_SECRET         1024          /* bytes of a symmetric key */
#define LIMIT_JWS                 (256 * 1024)  /* a signed text that is no token to present: detached, JSON, status lists */
#define LIMIT_JWS_SIGNATURES      16            /* of one JWS as general JSON */
#define LIMIT_X5C                 8             /* certificates of one key */
#define LIMIT_CERT                (8 * 1024)    /* bytes of one, DER */
#define LIMIT_JWT_AUD             64            /* members of aud */
#define LIMIT_ARGON2_KIB          262144        /* costs read from stored password hashes: memory, */
#define LIMIT_ARGON2_PASSES       16            /* passes over it, */
#define LIMIT_ARGON2_WORK_KIB     1048576       /* both multiplied, */
#define LIMIT_ARGON2_LANES        16            /* and lanes */
#define LIMIT_BCRYPT_COST         15            /* 2^n rounds */
#define LIMIT_PBKDF2_ROUNDS       2500000
#define LIMIT_SCRYPT_LN           20            /* 2^n blocks */
#define LIMIT_SCRYPT_R            32
#define LIMIT_SCRYPT_P            16
#define LIMIT_SCRYPT_MEMORY       (128 * 1024 * 1024) /* bytes: 128 * N * r */
#define LIMIT_TIME_S              253402300799  /* 9999-12-31T23:59:59Z, the last time RFC 3339 can write */
#define LIMIT_JWE                 (64 * 1024)   /* an encrypted token, in whatever form */
#define LIMIT_JWE_HEADER          8192          /* bytes of a JWE's header, decoded */
#define LIMIT_JWE_PARTY           256           /* bytes of apu and of apv, decoded */
#define LIMIT_JWE_RECIPIENTS      16            /* of one JWE as general JSON */
#define LIMIT_WRAPPED_KEY         64            /* bytes of a key inside AES key wrap */
#define LIMIT_P2C                 10000         /* rounds of PBES2 (A71); it is for passphrases in files, never on in the server */
#define LIMIT_P2C_MIN             1000          /* RFC 7518 section 4.8.1.2 */
#define LIMIT_P2S_MIN             8             /* bytes of salt (RFC 7518 section 4.8.1.1) */
#define LIMIT_P2S                 128
#define LIMIT_LOG_TEXT            2048  /* one log line's message */
#define LIMIT_METRIC_SETS         256   /* label sets of one metric; what comes later counts as "other" */
#define LIMIT_METRIC_LABELS       128   /* bytes of one label set */
#define LIMIT_SECONDS             3155760000LL /* a hundred years: the longest duration anybody may set */
#define LIMIT_INT                 9007199254740991LL /* 2^53 - 1: what JSON carries exactly everywhere */
#define LIMIT_ASSERTION_LIFE      3600  /* seconds: a client assertion, if the client is allowed so long */
#define LIMIT_REMOTE_KEYS         1024  /* sets of others' keys kept in memory */
#define LIMIT_REMOTE_BYTES        (128 * 1024) /* of one set as JSON */
#define LIMIT_REMOTE_ARENA        (512 * 1024) /* the same in memory, without what the keys themselves take */
#define LIMIT_REMOTE_MS           5000  /* a fetch of one */
#define LIMIT_REMOTE_WAITING      16    /* threads that fetch such sets, or wait for them, at once: half of the workers there usually are */
#define LIMIT_REMOTE_FRESH_MIN_S  60    /* bounds of what Cache-Control says */
#define LIMIT_REMOTE_FRESH_MAX_S  86400
#define LIMIT_REMOTE_STALE_S      86400 /* so long an old set serves while there is no new one */
#define LIMIT_ASSERTION_KEYS      4     /* keys that an assertion without kid is tried with */
#define LIMIT_REGISTRATIONS       100000 /* clients that register themselves: the largest quota and rate */
#define LIMIT_PROVIDERS_KEPT      128   /* outside providers whose metadata is kept in memory */
#define LIMIT_PROVIDER_BYTES      (64 * 1024) /* of their answers as JSON */
#define LIMIT_SUBJECT             255   /* a person's name there (OpenID Connect Core section 2) */
#define LIMIT_IDENTITIES          32    /* outside accounts linked to one account */
#define LIMIT_OUTSIDE_S           600   /* seconds a sign-in elsewhere may take */
#define LIMIT_SESSION_CLIENTS     4096  /* clients told of the end of one session */
#define LIMIT_FRAMES              16    /* of them, through the browser */
#define LIMIT_MAX_AGE             315360000     /* seconds: max_age of an authorization request */
#define LIMIT_ONLINE_KILL         128   /* sessions and grants that one transaction of a password change ends */
#define LIMIT_MARK                1000  /* descendants of revoked nodes marked in one transaction */
#define LIMIT_MARK_ROUNDS         32    /* such transactions in one housekeeping round */
#define LIMIT_DEAD_NODES          (1 << 22) /* revoked nodes whose descendants are not all marked yet */
#define LIMIT_AUDIT_HEADS         (1 << 22) /* tenants of one store: chain heads in memory between two times of saving, or while verifying */
#define LIMIT_AUDIT_HEADS_KEPT    16384     /* chain heads that stay in memory longer */
#define LIMIT_AUDIT_SCAN          20000 /* audit rows one listing looks at */
#define LIMIT_REFUSED             256   /* different refusals counted apart in one minute */
#define LIMIT_USAGE               16384 /* last-used times kept in memory between two flushes */
#define LIMIT_HELD                100   /* sessions, grants and keys of an account shown, each */
#define LIMIT_API_KEYS            100   /* live API keys of one account */
#define LIMIT_EMAIL               254   /* an e-mail address (RFC 5321) */
#define LIMIT_STATUS_SIZE         65536 /* tokens of one status list that the server makes */
#define LIMIT_STATUS_OPEN_S       86400 /* so long one takes new tokens */
#define LIMIT_STATUS_OPEN         65536 /* tenants that have one open in a server */
#define LIMIT_STATUS_KEPT         1024  /* lists ready to send */
#define LIMIT_STATUS_AGE_MS       1000  /* and their age */
#define LIMIT_STATUS_SHOWN        1024  /* addresses of lists told at once */
#define LIMIT_STATUS_MARK_MS      60000 /* a dead client's tokens are marked so long after: none can still be on its way into the store */
#define LIMIT_STATUS_LISTS        256   /* libmereau: status lists kept at once */
#define LIMIT_STATUS_BYTES        (1024 * 1024) /* of one, unpacked: eight million tokens of one bit */
#define LIMIT_STATUS_FRESH_MIN_S  1     /* the least of what its ttl says */
#define LIMIT_STATUS_UNUSED_S     86400 /* one that no token has named for so long is fetched no more */
#define LIMIT_LIB_SCRATCH         (4 * 1024 * 1024) /* bytes that fetching and reading one document may use */
#define LIMIT_LIB_RESULT          (512 * 1024) /* and verifying one token */
#define LIMIT_LIB_WAIT_MS         60000 /* the longest time-out and waiting a caller may ask for */
