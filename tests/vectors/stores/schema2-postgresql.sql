--
-- PostgreSQL database dump
--

\restrict yglVc8FInmBECY2tbQVAZpRsG8Il27c9itvZnC3ST2CupSgWIU2P3I4HaHElums

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: account; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.account (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    username text NOT NULL,
    email text,
    spec text NOT NULL,
    password text,
    password_s bigint,
    managed_by text NOT NULL,
    disabled integer DEFAULT 0 NOT NULL,
    cutoff_id bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_s bigint NOT NULL,
    updated_s bigint NOT NULL
);


--
-- Name: audit; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    at_s bigint NOT NULL,
    event text NOT NULL,
    actor text,
    object text,
    payload text,
    salt bytea,
    digest bytea NOT NULL
);


--
-- Name: audit_checkpoint; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_checkpoint (
    id bigint NOT NULL,
    at_s bigint NOT NULL,
    heads bytea NOT NULL,
    tenants bigint NOT NULL,
    signature bytea NOT NULL
);


--
-- Name: audit_head; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_head (
    tenant_id bigint NOT NULL,
    seal_id bigint NOT NULL,
    seal bigint NOT NULL,
    chain bytea NOT NULL
);


--
-- Name: audit_seal; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_seal (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    seal bigint NOT NULL,
    before_id bigint,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    count bigint NOT NULL,
    chain bytea NOT NULL,
    at_s bigint NOT NULL
);


--
-- Name: consent; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.consent (
    tenant_id bigint NOT NULL,
    account_id bigint NOT NULL,
    client_id bigint NOT NULL,
    scope text NOT NULL,
    given_s bigint NOT NULL
);


--
-- Name: dead_node; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.dead_node (
    tenant_id bigint NOT NULL,
    node_id bigint NOT NULL,
    kind text NOT NULL,
    cutoff_id bigint NOT NULL,
    since_s bigint NOT NULL,
    marked_to bigint DEFAULT 0 NOT NULL
);


--
-- Name: grant_node; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.grant_node (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    account_id bigint,
    client_id bigint NOT NULL,
    session_id bigint,
    scope text NOT NULL,
    audience text NOT NULL,
    generation bigint DEFAULT 0 NOT NULL,
    created_s bigint NOT NULL,
    used_s bigint NOT NULL,
    ip text,
    expires_s bigint NOT NULL,
    revoked_s bigint,
    spec text
);


--
-- Name: limiter; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.limiter (
    tenant_id bigint NOT NULL,
    name text NOT NULL,
    failures bigint NOT NULL,
    first_s bigint NOT NULL,
    last_s bigint NOT NULL
);


--
-- Name: linked_identity; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.linked_identity (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    created_s bigint NOT NULL,
    used_s bigint NOT NULL
);


--
-- Name: mereau_schema; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.mereau_schema (
    version integer NOT NULL
);


--
-- Name: meta; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.meta (
    name text NOT NULL,
    value bytea NOT NULL
);


--
-- Name: object; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.object (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    spec text NOT NULL,
    secret text,
    managed_by text NOT NULL,
    disabled integer DEFAULT 0 NOT NULL,
    cutoff_id bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_s bigint NOT NULL,
    updated_s bigint NOT NULL
);


--
-- Name: outbox; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.outbox (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    sink text NOT NULL,
    target text NOT NULL,
    event text NOT NULL,
    object text NOT NULL,
    payload text NOT NULL,
    created_s bigint NOT NULL,
    due_s bigint NOT NULL,
    attempts bigint DEFAULT 0 NOT NULL,
    lease_until_s bigint DEFAULT 0 NOT NULL,
    lease_owner text,
    delivered_s bigint,
    failed_s bigint,
    last_error text
);


--
-- Name: registration; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.registration (
    tenant_id bigint NOT NULL,
    client_id bigint NOT NULL,
    owner_id bigint NOT NULL,
    token_id bigint NOT NULL,
    hash bytea NOT NULL,
    life_s bigint NOT NULL,
    expires_s bigint
);


--
-- Name: seen; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.seen (
    tenant_id bigint NOT NULL,
    hash bytea NOT NULL,
    expires_s bigint NOT NULL
);


--
-- Name: session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.session (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    hash bytea NOT NULL,
    account_id bigint NOT NULL,
    auth_s bigint NOT NULL,
    amr text NOT NULL,
    ip text,
    agent text,
    created_s bigint NOT NULL,
    used_s bigint NOT NULL,
    expires_s bigint NOT NULL,
    revoked_s bigint
);


--
-- Name: session_client; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.session_client (
    tenant_id bigint NOT NULL,
    session_id bigint NOT NULL,
    client_id bigint NOT NULL,
    expires_s bigint NOT NULL
);


--
-- Name: status_list; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.status_list (
    tenant_id bigint NOT NULL,
    list bigint NOT NULL,
    opened_id bigint NOT NULL,
    opened_s bigint NOT NULL,
    expires_s bigint NOT NULL,
    restored integer DEFAULT 0 NOT NULL
);


--
-- Name: tenant_key; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tenant_key (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    purpose text NOT NULL,
    kid text,
    alg text,
    sealed bytea NOT NULL,
    public_jwk text,
    created_s bigint NOT NULL,
    active_s bigint NOT NULL,
    retired_s bigint,
    remove_s bigint
);


--
-- Name: ticket; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ticket (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    hash bytea NOT NULL,
    account_id bigint,
    client_id bigint,
    session_id bigint,
    spec text NOT NULL,
    created_s bigint NOT NULL,
    expires_s bigint NOT NULL,
    consumed_s bigint,
    result_id bigint
);


--
-- Name: token; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.token (
    tenant_id bigint NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    hash bytea NOT NULL,
    client_id bigint,
    account_id bigint,
    session_id bigint,
    grant_id bigint,
    parent_id bigint,
    actor_id bigint,
    scope text,
    audience text,
    spec text,
    issued_s bigint NOT NULL,
    expires_s bigint NOT NULL,
    revoked_s bigint,
    consumed_s bigint,
    successor_id bigint,
    generation bigint,
    grace_uses bigint DEFAULT 0 NOT NULL,
    used_s bigint,
    used_ip text,
    status_index bigint
);


--
-- Data for Name: account; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.account VALUES (191766350285242368, 191766350333476864, 'user', 'ann', 'ann@example.com', '{"username":"ann","name":"Ann","email":"ann@example.com","email_verified":true,"phone_number_verified":false,"roles":["support"]}', '$argon2id$v=19$m=19456,t=2,p=1$LbXUcXEtgHOAe+KMf6VlfQ$288/oGZed9h26gWYj7negxX7LjoYDplizxcGA/oFH98', 1795508521, 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.account VALUES (191766350285242368, 191766350402682880, 'user', 'bob', 'bob@example.com', '{"username":"bob","email":"bob@example.com","email_verified":false,"phone_number_verified":false,"roles":["boss"]}', '$argon2id$v=19$m=19456,t=2,p=1$vY9kyh5WCWtOPBdv0cR+6A$p43z7zyAP1xnXom8dXQn96tY0ldHw8OCHkF7PqJcjLw', 1795508521, 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.account VALUES (191766350285242368, 191766350467694592, 'user', 'eve', 'eve@example.com', '{"username":"eve","email":"eve@example.com","email_verified":false,"phone_number_verified":false,"roles":[]}', '$argon2id$v=19$m=19456,t=2,p=1$FYBwJzo6B7Ed8crEFaFniA$+8UbjSv1Z7t4uh1fA+DxJoWrTtdPB+mnQtKOG0rqVWY', 1795508521, 'file', 0, 0, 1, 1795508521, 1795508521);


--
-- Data for Name: audit; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit VALUES (191766350285242368, 191766350287339520, 1795508521, 'object.created', 'system', 'tenant:default', '{"version":1}', '\x1d8f2274f621caa1dcaa535b52569899', '\x447ea3a37b303b6a54694549eb05667d838a3e1d5a68b71d2297c4ee6d00c065');
INSERT INTO public.audit VALUES (191766350285242368, 191766350299922432, 1795508521, 'object.changed', 'file', 'tenant:default', '{"changed":["managed_by"],"version":2}', '\x74a737478e46f14ae8104a00911fd1f7', '\x3eeaf79a18bbe0b58e9098790c931ad7478d34249f49d5120b73c84bbc4fb937');
INSERT INTO public.audit VALUES (191766350285242368, 191766350306213888, 1795508521, 'object.created', 'file', 'role:support', '{"version":1}', '\x4df3f8bf234588c6d7864ee355af2d33', '\xf5a6c36866791c7d46132c0a94a6104cfaf39ac446d2cea6e4f7bb36bd54f3fd');
INSERT INTO public.audit VALUES (191766350285242368, 191766350308311041, 1795508521, 'object.created', 'file', 'role:boss', '{"version":1}', '\xa6f3350293174edc9ee1b253dac8c1e1', '\xd343449709d197ab47d3dde2ec8b73cbd45a21c65a26b42dccb93a1eaec25fe4');
INSERT INTO public.audit VALUES (191766350285242368, 191766350312505344, 1795508521, 'object.created', 'file', 'client:web', '{"version":1}', '\x680625c6c4e14272b64efc8c356e46cf', '\x91836cced59d2209364da7cddf003d3432e3d35554b2c9cb4122f369ae043573');
INSERT INTO public.audit VALUES (191766350285242368, 191766350314602496, 1795508521, 'object.created', 'file', 'client:webjwt', '{"version":1}', '\xad37ba2eaa1ed68a7433be65425ec3aa', '\x6800bad5c2c9c3af83dc944cb184e6b10863f229f3488dcf41f156c7c896e532');
INSERT INTO public.audit VALUES (191766350285242368, 191766350320893952, 1795508521, 'object.created', 'file', 'client:third', '{"version":1}', '\xc32b6ed4c200377f06d4b9507a42adab', '\x446dcde05c186641a42251c67d39d85dd71672ec99f26bf9735395a33fe466c8');
INSERT INTO public.audit VALUES (191766350285242368, 191766350322991104, 1795508521, 'object.created', 'file', 'client:spa', '{"version":1}', '\x00afb9d4be531bd4ea8b5698b9ceeed0', '\x3334e023f513c9f659608eb705ca88c5f4f62459750cdd338395916cc367155e');
INSERT INTO public.audit VALUES (191766350285242368, 191766350322991107, 1795508521, 'object.created', 'file', 'client:machine', '{"version":1}', '\x61801acc4cf21ea4a4e88a8b0abe1b74', '\x578f6704f577b99fbd052b7f725d0ec213fe56d966ada782343522849e2a95a6');
INSERT INTO public.audit VALUES (191766350285242368, 191766350325088258, 1795508521, 'object.created', 'file', 'client:machinejwt', '{"version":1}', '\xc75251a914da7afbc0319073d6e5535e', '\x0400524811e5390d7be2df312be29f4f283151ea7e196b387ffdf8a83649ce59');
INSERT INTO public.audit VALUES (191766350285242368, 191766350327185409, 1795508521, 'object.created', 'file', 'client:machinefree', '{"version":1}', '\x5f4484e11bd7355a649ea879a7f478f7', '\x83b274479b7faa644090f15104a7d089072bee6bfc0ebdd76d58dbc9dd26fd49');
INSERT INTO public.audit VALUES (191766350285242368, 191766350329282560, 1795508521, 'object.created', 'file', 'client:api', '{"version":1}', '\x9c2fc62d224ed970db3c5f7e789e5d4a', '\x0613516b3e5605baf702a05c99717797414023cdb4a6d6d129c0f34e3c36487b');
INSERT INTO public.audit VALUES (191766350285242368, 191766350329282563, 1795508521, 'object.created', 'file', 'resource:https://orders.example', '{"version":1}', '\x2a32b5eaebe1d8334c4f21498d876ee9', '\xd88e8ad7501cfd99e5421674cc843596064de91de5c5ce74790c1e1b6846eb10');
INSERT INTO public.audit VALUES (191766350285242368, 191766350400585728, 1795508521, 'object.created', 'file', 'user:ann', '{"version":1}', '\x151223677b5b935d34f088eac9891272', '\xb85f1f0c661e4749fe24384f6bcf866e00eb872f6624da2f62a96a83ba2f5fdd');
INSERT INTO public.audit VALUES (191766350285242368, 191766350465597440, 1795508521, 'object.created', 'file', 'user:bob', '{"version":1}', '\x4fd924a3553560d08d4d54e3c285f59e', '\xe5335cee35a5ab5aa8d3f27509a8b8ff2c2f8573a0d2640c95d46069a682565a');
INSERT INTO public.audit VALUES (191766350285242368, 191766350528512000, 1795508521, 'object.created', 'file', 'user:eve', '{"version":1}', '\x687e2d4d62842d1e1cc5c15ea7ee8f4b', '\x2aabcecafd642c030d6e4663ac20ddf0f75277da740cd08030c0b99a90f6d757');
INSERT INTO public.audit VALUES (191766350285242368, 191766350532706305, 1795508521, 'link.made', 'system', 'tenant', '{"purpose":"first_admin"}', '\x4c685302691ccb5182c3a2e672c02423', '\x9e7330dd23eed2775d96ed331b27c84e1b158ba13cb4c62bdc96ab827db0f8fa');
INSERT INTO public.audit VALUES (191766350285242368, 191766350658535424, 1795508521, 'signin.ok', 'person:ann', 'session:Kz7vpNZLNpP', '{"ip":"127.0.0.1","request_id":"01M86ABJNGMFR5GHS4DVPJ7Z00","amr":"pwd"}', '\x4f52250475026df815516292a84ccb02', '\xd16fd74858f0f53995edad29f0dc79af2f0e04615d5c70c47d06833b328b1ca7');
INSERT INTO public.audit VALUES (191766350285242368, 191766350677409792, 1795508521, 'token.issued', 'client:web', 'grant:5FX0qUUKe3e', '{"ip":"127.0.0.1","request_id":"01M86ABJPYK691RZY37686GQVW","grant_type":"authorization_code","user":"ann","scope":"orders.read offline_access","audience":"https://orders.example"}', '\xb977713ea86f5f8968e1dff6cc40a5f9', '\xd5332db666ef7f04d170e408e6b18f7add761dc9e07e6ae2dc7a3a8c01c1d97c');
INSERT INTO public.audit VALUES (191766350285242368, 191766350744518656, 1795508521, 'signin.ok', 'person:ann', 'session:JanTS0swC4t', '{"ip":"127.0.0.1","request_id":"01M86ABJQ28ZQKKRC5XXP5MZS7","amr":"pwd"}', '\xa63818d1bb3b1774024b87a9b16abdde', '\x0c155248ca2023f8af009b12a40dfc3422e68e193fa9e1fcb61ea376174969b0');
INSERT INTO public.audit VALUES (191766350285242368, 191766350755004419, 1795508521, 'token.issued', 'client:web', 'grant:Jm9xQq95dM4', '{"ip":"127.0.0.1","request_id":"01M86ABJR59NYS6DY8773DXF26","grant_type":"authorization_code","user":"ann","scope":"orders.read offline_access","audience":"https://orders.example"}', '\x3a1d3b1ce456f9f7cdedf064c81c1a51', '\x55acb5a45586d0075018de60c898821de991ffc0ba2c4f58efbf6686535b7926');
INSERT INTO public.audit VALUES (191766350285242368, 191766350761295872, 1795508521, 'token.revoked', 'client:web', 'grant:Jm9xQq95dM4', '{"ip":"127.0.0.1","request_id":"01M86ABJR78YKKCDWM9JNNN73D","reason":"revoked by the client"}', '\xcc973b286a7a2cfc8e1def67cd247158', '\x313d6408deb6e94bcb9fa9baafda96b123951e04251d7e2015d19ed02c6cd190');
INSERT INTO public.audit VALUES (191766350285242368, 191766350784364545, 1795508521, 'object.changed', 'operator:root', 'client:web', '{"changed":["disabled"],"disabled":true}', '\x2400e617d2fc22b5d48b3dfce1ce48a5', '\x47b57378d6ee20db8c0b0c83b846a0465c42c7fc828f7acacb0454d20c625908');
INSERT INTO public.audit VALUES (191766350285242368, 191766350809530369, 1795508521, 'object.changed', 'operator:root', 'client:web', '{"changed":["disabled"],"disabled":false}', '\x2dbe941d13f05cea5b61545ade51ba0e', '\x2ba7d8105301eb93ab01de9a4aa5f76cf3d3e6a3ed032ae061be99ccb198bed2');
INSERT INTO public.audit VALUES (191766350285242368, 191766350885027840, 1795508521, 'signin.ok', 'person:ann', 'session:8UBqZAyo078', '{"ip":"127.0.0.1","request_id":"01M86ABJS4XMNQA6RT40C3ES3R","amr":"pwd"}', '\x8c2150dd572c52183df361464c98ac10', '\x055ae24d8c915c172055c646453ae88243726987c9d87f08a2b48fbe2e8b4e22');
INSERT INTO public.audit VALUES (191766350285242368, 191766350895513600, 1795508521, 'token.issued', 'client:web', 'grant:5owDWFOCGq3', '{"ip":"127.0.0.1","request_id":"01M86ABJT7JXCTFH7Y5RW8EBCZ","grant_type":"authorization_code","user":"ann","scope":"orders.read offline_access","audience":"https://orders.example"}', '\x6a03e17f1080f2d263fc5dbf60f3d59e', '\x2923aa48f8ce85bbe9b7805bc61ae7691a1f4dcb1a2d8b2f22307a9a2177ca18');
INSERT INTO public.audit VALUES (191766350285242368, 191766351950381059, 1795508522, 'token.issued', 'client:machine', 'token:GLnlMiT0H80', '{"ip":"127.0.0.1","request_id":"01M86ABK9Y4MBZ3AD9HVECE34R","grant_type":"client_credentials","scope":"orders.read orders.write","audience":"https://orders.example"}', '\x8315e8f881fe0e11ee57906b298badb0', '\x09cb323e4673e5c4edd376291d1527178819e50815a84e69da3323577928dde2');


--
-- Data for Name: audit_checkpoint; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_checkpoint VALUES (191766351977644032, 1795508522, '\x02a94a7ac4a00000000000000000001bf41f5b6c8229512aa71bfb13a8bfb6cf8a365fcd12f9d13088b53dd9709ad796', 1, '\xdefc43b14ad4f3e88edd15966d393e47ae9be2344d33327d24332304436e4484');


--
-- Data for Name: audit_head; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_head VALUES (191766350285242368, 191766351950381060, 27, '\xf41f5b6c8229512aa71bfb13a8bfb6cf8a365fcd12f9d13088b53dd9709ad796');


--
-- Data for Name: audit_seal; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350289436672, 1, NULL, 191766350287339520, 191766350287339520, 1, '\xc06a43bfce44c2e8e3322e03423eb7f928b547c65f9668867958340fae4c571e', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350302019584, 2, 191766350289436672, 191766350299922432, 191766350299922432, 1, '\xc2386bda06ea52ac379ad123935e51cb5371fd27083c08c71ba9224ed83213dc', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350306213889, 3, 191766350302019584, 191766350306213888, 191766350306213888, 1, '\x67f65951763f9d4c05e299d69b1f62099bca63823be1e54614456dd34f034598', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350308311042, 4, 191766350306213889, 191766350308311041, 191766350308311041, 1, '\xb344f510fa748f79a67dda0b5ed85c6ae0e1233b5afbdcb47415387dd4db30fe', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350312505345, 5, 191766350308311042, 191766350312505344, 191766350312505344, 1, '\x2ddaebda0a16c2559a113c13d4ced25c7815b48ffe596a1db50b8be312b77cde', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350316699648, 6, 191766350312505345, 191766350314602496, 191766350314602496, 1, '\xa37e9848558c05b724ce7bc76171f1cdea38ae6a0b7133692bacc057a896920b', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350320893953, 7, 191766350316699648, 191766350320893952, 191766350320893952, 1, '\x6d713398ec1ccccc599f6ac3aff92b54753d36cfce64ec064baf521c1a396159', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350322991105, 8, 191766350320893953, 191766350322991104, 191766350322991104, 1, '\x72e4ded6baa073c996b050bf6c80011ba735c910916d63baf8980c760f749e2f', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350325088256, 9, 191766350322991105, 191766350322991107, 191766350322991107, 1, '\xafd2e31622e48d7fb386e9fc24749a6b973bf978f7ae2d387723709e3d4e4046', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350325088259, 10, 191766350325088256, 191766350325088258, 191766350325088258, 1, '\xc1897ba5cfbe50d69042610d3cc547c6015f3c159f53bdc21be81d30b08ac63e', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350327185410, 11, 191766350325088259, 191766350327185409, 191766350327185409, 1, '\x58ec98a36c5c699292db8cbbd73a5bc588081c1c3d5a62288e4862ac91fb553d', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350329282561, 12, 191766350327185410, 191766350329282560, 191766350329282560, 1, '\xe948fcb3c8a5ea372665755bb73fbacf20790a1300a2ddae3a3301163e830a56', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350329282564, 13, 191766350329282561, 191766350329282563, 191766350329282563, 1, '\x77975560258f430a26096222a74777e67f76d9fb4cb2bf7e4da459d489f12e35', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350400585729, 14, 191766350329282564, 191766350400585728, 191766350400585728, 1, '\xc85d90bc6492b96181c754537cef99d5ed907660a8a35228cab33afd40694da1', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350465597441, 15, 191766350400585729, 191766350465597440, 191766350465597440, 1, '\x7f054096f4e59ddee0320825b5d5db77fdacdf79da9825354c117155b61f7d12', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350528512001, 16, 191766350465597441, 191766350528512000, 191766350528512000, 1, '\xec7717c4bc0e349c9317677e209e09e7aa5f386c82a507ce4b4aa21a8bbd709c', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350532706306, 17, 191766350528512001, 191766350532706305, 191766350532706305, 1, '\x62167653dfba8c16dcc5d523a3a802a0f20857ec3d43ca6ac0fa990e0dc53638', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350658535425, 18, 191766350532706306, 191766350658535424, 191766350658535424, 1, '\xec7650a8d6609581c425b2920ad2689a1262dd6c57f8fc4dc8989bdfbc2e6c06', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350677409793, 19, 191766350658535425, 191766350677409792, 191766350677409792, 1, '\xac6da889eeb292cd389c3220ece5c736bd096c0773fc974c36f6b6e9f7bcf9c0', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350744518657, 20, 191766350677409793, 191766350744518656, 191766350744518656, 1, '\x5c2c4a6d53083f83a31f278f92008649d975d2267a13bb166987cdcd1c7cc98e', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350755004420, 21, 191766350744518657, 191766350755004419, 191766350755004419, 1, '\x6d7eb4adeaf8b2e7767236f11863a47109fa743210ee11c7631d37163e87e041', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350761295873, 22, 191766350755004420, 191766350761295872, 191766350761295872, 1, '\x2ecbdb61eb5f7c8107d8e6e529d8d741b6b5212ea702ce62f871966ec93d0ddd', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350784364546, 23, 191766350761295873, 191766350784364545, 191766350784364545, 1, '\xdf955515587bc82c4fe1e1f45c3080448b1619c990a83d12bdaa731d177c99e3', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350809530370, 24, 191766350784364546, 191766350809530369, 191766350809530369, 1, '\x62203c00d4b58846985d90b3fc6655edec5cce56e91fe349f9260dea347a33aa', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350885027841, 25, 191766350809530370, 191766350885027840, 191766350885027840, 1, '\x5ab5a106a4733cdddacf88b5b1a4bcea264e5b3671a06b0ea741166dee636ca1', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766350895513601, 26, 191766350885027841, 191766350895513600, 191766350895513600, 1, '\x5868085dc2eb072433ee9a6f5d8562baffbb6bad91dc826ac05a2109a89740be', 1795508521);
INSERT INTO public.audit_seal VALUES (191766350285242368, 191766351950381060, 27, 191766350895513601, 191766351950381059, 191766351950381059, 1, '\xf41f5b6c8229512aa71bfb13a8bfb6cf8a365fcd12f9d13088b53dd9709ad796', 1795508522);


--
-- Data for Name: consent; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: dead_node; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.dead_node VALUES (191766350285242368, 191766350310408192, 'client', 191766350809530368, 1795508521, 0);


--
-- Data for Name: grant_node; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.grant_node VALUES (191766350285242368, 191766350673215488, 191766350333476864, 191766350310408192, NULL, 'orders.read offline_access', 'https://orders.example', 0, 1795508521, 1795508521, '127.0.0.1', 1798100521, NULL, '{"auth_time":1795508521,"amr":"pwd","session":191766350656438272}');
INSERT INTO public.grant_node VALUES (191766350285242368, 191766350755004416, 191766350333476864, 191766350310408192, NULL, 'orders.read offline_access', 'https://orders.example', 0, 1795508521, 1795508521, '127.0.0.1', 1798100521, 1795508521, '{"auth_time":1795508521,"amr":"pwd","session":191766350742421504}');
INSERT INTO public.grant_node VALUES (191766350285242368, 191766350893416448, 191766350333476864, 191766350310408192, NULL, 'orders.read offline_access', 'https://orders.example', 0, 1795508521, 1795508521, '127.0.0.1', 1798100521, NULL, '{"auth_time":1795508521,"amr":"pwd","session":191766350882930688}');


--
-- Data for Name: limiter; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.limiter VALUES (191766350285242368, 'ip:127.0.0.1/32', 0, 1795508521, 1795508521);
INSERT INTO public.limiter VALUES (191766350285242368, 'ip:127.0.0.0/24', 0, 1795508521, 1795508521);
INSERT INTO public.limiter VALUES (191766350285242368, 'all', 0, 1795508521, 1795508521);


--
-- Data for Name: linked_identity; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: mereau_schema; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.mereau_schema VALUES (1);
INSERT INTO public.mereau_schema VALUES (2);


--
-- Data for Name: meta; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.meta VALUES ('master_key_check', '\x01701bfd1f8d4087cec25d070ef6924e8214961b586f146f2da45d31a81aeab5b686e0');
INSERT INTO public.meta VALUES ('store_key', '\x014d81092088b9cd99aa9555a14d9d7167ce4311a73596cfdc5e9563e0c231c00a86a01858aa625aeaccb5cb829ccb7b92c7384e7299eb62316ad3ea2c');
INSERT INTO public.meta VALUES ('audit_heads', '\x02a94a7b29400000');
INSERT INTO public.meta VALUES ('id_ceiling', '\x02a94a7b29800000');


--
-- Data for Name: object; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.object VALUES (0, 191766350285242368, 'tenant', 'default', '{"name":"default","signing_alg":"ES256","access_token_life":3600,"refresh_token_life":2592000,"refresh_token_idle":1209600,"refresh_grace":20,"code_life":60,"session_life":2592000,"session_idle":604800,"key_life":7776000,"jwks_max_age":300,"status_list_ttl":10,"introspect_max_age":0,"forward_auth_hosts":[],"registration":"off","registration_scope":"openid profile email offline_access","registration_grant_types":["authorization_code","refresh_token","implicit"],"registration_hosts":[],"registration_quota":100,"registration_rate":30,"registration_life":7776000,"demo":false}', NULL, 'file', 0, 0, 2, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350304116736, 'role', 'support', '{"name":"support","permissions":["orders.read","orders.write"]}', NULL, 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350308311040, 'role', 'boss', '{"name":"boss","permissions":["admin"]}', NULL, 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350312505346, 'client', 'webjwt', '{"client_id":"webjwt","keep_previous_secret":false,"token_endpoint_auth_method":"client_secret_basic","token_endpoint_auth_signing_alg":"","assertion_aud":"issuer","assertion_life":300,"redirect_uris":["https://app.example/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"orders.read orders.write offline_access","resources":[],"access_token_format":"jwt","access_token_signing_alg":"","access_token_life":-1,"refresh_token_life":-1,"refresh_token_idle":-1,"refresh_grace":-1,"require_pkce":true,"store_access_tokens":true,"first_party":true,"permissions":[],"application_type":"web","subject_type":"public","id_token_signed_response_alg":"RS256","id_token_encrypted_response_alg":"","id_token_encrypted_response_enc":"","userinfo_signed_response_alg":"","userinfo_encrypted_response_alg":"","userinfo_encrypted_response_enc":"","request_object_signing_alg":"","require_signed_request_object":false,"default_max_age":-1,"require_auth_time":false,"default_acr_values":[],"post_logout_redirect_uris":[],"backchannel_logout_session_required":false,"frontchannel_logout_session_required":false,"status_list":false,"contacts":[]}', '["8f395c35703ed6a57f09a6135b42e9ba854808fb307a8d4299ea56bcbc6ba5ae"]', 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350318796800, 'client', 'third', '{"client_id":"third","client_name":"Third Party","keep_previous_secret":false,"token_endpoint_auth_method":"client_secret_basic","token_endpoint_auth_signing_alg":"","assertion_aud":"issuer","assertion_life":300,"redirect_uris":["https://app.example/callback","https://app.example/other"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"orders.read offline_access","resources":[],"access_token_format":"opaque","access_token_signing_alg":"","access_token_life":-1,"refresh_token_life":-1,"refresh_token_idle":-1,"refresh_grace":-1,"require_pkce":true,"store_access_tokens":true,"first_party":false,"permissions":[],"application_type":"web","subject_type":"public","id_token_signed_response_alg":"RS256","id_token_encrypted_response_alg":"","id_token_encrypted_response_enc":"","userinfo_signed_response_alg":"","userinfo_encrypted_response_alg":"","userinfo_encrypted_response_enc":"","request_object_signing_alg":"","require_signed_request_object":false,"default_max_age":-1,"require_auth_time":false,"default_acr_values":[],"post_logout_redirect_uris":[],"backchannel_logout_session_required":false,"frontchannel_logout_session_required":false,"status_list":false,"contacts":[]}', '["8f395c35703ed6a57f09a6135b42e9ba854808fb307a8d4299ea56bcbc6ba5ae"]', 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350320893954, 'client', 'spa', '{"client_id":"spa","keep_previous_secret":false,"token_endpoint_auth_method":"none","token_endpoint_auth_signing_alg":"","assertion_aud":"issuer","assertion_life":300,"redirect_uris":["http://127.0.0.1/cb"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"orders.read offline_access","resources":[],"access_token_format":"opaque","access_token_signing_alg":"","access_token_life":-1,"refresh_token_life":-1,"refresh_token_idle":-1,"refresh_grace":-1,"require_pkce":true,"store_access_tokens":true,"first_party":true,"permissions":[],"application_type":"web","subject_type":"public","id_token_signed_response_alg":"RS256","id_token_encrypted_response_alg":"","id_token_encrypted_response_enc":"","userinfo_signed_response_alg":"","userinfo_encrypted_response_alg":"","userinfo_encrypted_response_enc":"","request_object_signing_alg":"","require_signed_request_object":false,"default_max_age":-1,"require_auth_time":false,"default_acr_values":[],"post_logout_redirect_uris":[],"backchannel_logout_session_required":false,"frontchannel_logout_session_required":false,"status_list":false,"contacts":[]}', NULL, 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350322991106, 'client', 'machine', '{"client_id":"machine","keep_previous_secret":false,"token_endpoint_auth_method":"client_secret_basic","token_endpoint_auth_signing_alg":"","assertion_aud":"issuer","assertion_life":300,"redirect_uris":[],"grant_types":["client_credentials"],"response_types":["code"],"scope":"orders.read orders.write","resources":[],"access_token_format":"opaque","access_token_signing_alg":"","access_token_life":-1,"refresh_token_life":-1,"refresh_token_idle":-1,"refresh_grace":-1,"require_pkce":true,"store_access_tokens":true,"first_party":false,"permissions":[],"application_type":"web","subject_type":"public","id_token_signed_response_alg":"RS256","id_token_encrypted_response_alg":"","id_token_encrypted_response_enc":"","userinfo_signed_response_alg":"","userinfo_encrypted_response_alg":"","userinfo_encrypted_response_enc":"","request_object_signing_alg":"","require_signed_request_object":false,"default_max_age":-1,"require_auth_time":false,"default_acr_values":[],"post_logout_redirect_uris":[],"backchannel_logout_session_required":false,"frontchannel_logout_session_required":false,"status_list":false,"contacts":[]}', '["0184036f650293d111abe98cabc6b479678931df3daef851964ad25d10800ab2"]', 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350325088257, 'client', 'machinejwt', '{"client_id":"machinejwt","keep_previous_secret":false,"token_endpoint_auth_method":"client_secret_basic","token_endpoint_auth_signing_alg":"","assertion_aud":"issuer","assertion_life":300,"redirect_uris":[],"grant_types":["client_credentials"],"response_types":["code"],"scope":"orders.read","resources":[],"access_token_format":"jwt","access_token_signing_alg":"","access_token_life":-1,"refresh_token_life":-1,"refresh_token_idle":-1,"refresh_grace":-1,"require_pkce":true,"store_access_tokens":true,"first_party":false,"permissions":[],"application_type":"web","subject_type":"public","id_token_signed_response_alg":"RS256","id_token_encrypted_response_alg":"","id_token_encrypted_response_enc":"","userinfo_signed_response_alg":"","userinfo_encrypted_response_alg":"","userinfo_encrypted_response_enc":"","request_object_signing_alg":"","require_signed_request_object":false,"default_max_age":-1,"require_auth_time":false,"default_acr_values":[],"post_logout_redirect_uris":[],"backchannel_logout_session_required":false,"frontchannel_logout_session_required":false,"status_list":false,"contacts":[]}', '["0184036f650293d111abe98cabc6b479678931df3daef851964ad25d10800ab2"]', 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350327185408, 'client', 'machinefree', '{"client_id":"machinefree","keep_previous_secret":false,"token_endpoint_auth_method":"client_secret_basic","token_endpoint_auth_signing_alg":"","assertion_aud":"issuer","assertion_life":300,"redirect_uris":[],"grant_types":["client_credentials"],"response_types":["code"],"scope":"orders.read","resources":[],"access_token_format":"jwt","access_token_signing_alg":"","access_token_life":-1,"refresh_token_life":-1,"refresh_token_idle":-1,"refresh_grace":-1,"require_pkce":true,"store_access_tokens":false,"first_party":false,"permissions":[],"application_type":"web","subject_type":"public","id_token_signed_response_alg":"RS256","id_token_encrypted_response_alg":"","id_token_encrypted_response_enc":"","userinfo_signed_response_alg":"","userinfo_encrypted_response_alg":"","userinfo_encrypted_response_enc":"","request_object_signing_alg":"","require_signed_request_object":false,"default_max_age":-1,"require_auth_time":false,"default_acr_values":[],"post_logout_redirect_uris":[],"backchannel_logout_session_required":false,"frontchannel_logout_session_required":false,"status_list":false,"contacts":[]}', '["0184036f650293d111abe98cabc6b479678931df3daef851964ad25d10800ab2"]', 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350327185411, 'client', 'api', '{"client_id":"api","keep_previous_secret":false,"token_endpoint_auth_method":"client_secret_basic","token_endpoint_auth_signing_alg":"","assertion_aud":"issuer","assertion_life":300,"redirect_uris":[],"grant_types":[],"response_types":["code"],"scope":"","resources":[],"access_token_format":"opaque","access_token_signing_alg":"","access_token_life":-1,"refresh_token_life":-1,"refresh_token_idle":-1,"refresh_grace":-1,"require_pkce":true,"store_access_tokens":true,"first_party":false,"permissions":[],"application_type":"web","subject_type":"public","id_token_signed_response_alg":"RS256","id_token_encrypted_response_alg":"","id_token_encrypted_response_enc":"","userinfo_signed_response_alg":"","userinfo_encrypted_response_alg":"","userinfo_encrypted_response_enc":"","request_object_signing_alg":"","require_signed_request_object":false,"default_max_age":-1,"require_auth_time":false,"default_acr_values":[],"post_logout_redirect_uris":[],"backchannel_logout_session_required":false,"frontchannel_logout_session_required":false,"status_list":false,"contacts":[]}', '["c578bb9d69baaacebfc97007e2eabe6e220f81f0ed09fa6b28a5b077cb39bd85"]', 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350329282562, 'resource', 'https://orders.example', '{"identifier":"https://orders.example","scopes":["orders.read","orders.write"],"introspect_clients":["api"],"default":true}', NULL, 'file', 0, 0, 1, 1795508521, 1795508521);
INSERT INTO public.object VALUES (191766350285242368, 191766350310408192, 'client', 'web', '{"client_id":"web","keep_previous_secret":false,"token_endpoint_auth_method":"client_secret_basic","token_endpoint_auth_signing_alg":"","assertion_aud":"issuer","assertion_life":300,"redirect_uris":["https://app.example/callback"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"orders.read orders.write offline_access","resources":[],"access_token_format":"opaque","access_token_signing_alg":"","access_token_life":-1,"refresh_token_life":-1,"refresh_token_idle":-1,"refresh_grace":-1,"require_pkce":true,"store_access_tokens":true,"first_party":true,"permissions":[],"application_type":"web","subject_type":"public","id_token_signed_response_alg":"RS256","id_token_encrypted_response_alg":"","id_token_encrypted_response_enc":"","userinfo_signed_response_alg":"","userinfo_encrypted_response_alg":"","userinfo_encrypted_response_enc":"","request_object_signing_alg":"","require_signed_request_object":false,"default_max_age":-1,"require_auth_time":false,"default_acr_values":[],"post_logout_redirect_uris":[],"backchannel_logout_session_required":false,"frontchannel_logout_session_required":false,"status_list":false,"contacts":[]}', '["8f395c35703ed6a57f09a6135b42e9ba854808fb307a8d4299ea56bcbc6ba5ae"]', 'file', 0, 191766350809530368, 3, 1795508521, 1795508521);


--
-- Data for Name: outbox; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: registration; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: seen; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: session; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.session VALUES (191766350285242368, 191766350656438272, '\xeeb09054829236f666fe28b4d9c85765c69d5e76244767c3923bb292cc003703', 191766350333476864, 1795508521, 'pwd', '127.0.0.1', 'python-requests/2.28.1', 1795508521, 1795508521, 1798100521, NULL);
INSERT INTO public.session VALUES (191766350285242368, 191766350742421504, '\x0e23ca59fef5febd4f5875ccf46d74913ffaa8d03f0a956d31c9a28947542ec2', 191766350333476864, 1795508521, 'pwd', '127.0.0.1', 'python-requests/2.28.1', 1795508521, 1795508521, 1798100521, NULL);
INSERT INTO public.session VALUES (191766350285242368, 191766350882930688, '\x0cfe409c42cd9b767c420f36573319b0949013a37c6012c05bb79b5dfde683c7', 191766350333476864, 1795508521, 'pwd', '127.0.0.1', 'python-requests/2.28.1', 1795508521, 1795508521, 1798100521, NULL);


--
-- Data for Name: session_client; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: status_list; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: tenant_key; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.tenant_key VALUES (191766350285242368, 191766350285242369, 'tenant', NULL, NULL, '\x0197f00638765a7364c83754d97748308bfb852d4479cee564e410ddb03fc14bd337dd65e8d98508b49fc6aa02cc8a79427c9035ce2e54c0c9942504bf', NULL, 1795508521, 1795508521, NULL, NULL);
INSERT INTO public.tenant_key VALUES (191766350285242368, 191766350285242370, 'refresh', NULL, NULL, '\x01c914997e813cd850ec7f5cec986212ccd7ee8e0ce452df4f39d3ddd2bcaf1b658a7b8ab6332bd8017f9f6cd2be8f015ec96bc705e1a73403e5cd37fb', NULL, 1795508521, 1795508521, NULL, NULL);
INSERT INTO public.tenant_key VALUES (191766350285242368, 191766350285242371, 'secret', NULL, NULL, '\x01b9b01326555bcf9a221ec29f585206ef7ad1098b6e87d51a4ab5fc3be2c0cbb81bf301ad766eb46bc4464fa6ab0be04de42057b3207160b83e834203', NULL, 1795508521, 1795508521, NULL, NULL);


--
-- Data for Name: ticket; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.ticket VALUES (191766350285242368, 191766350532706304, 'first_admin', '\x04be2c27dfa81d6795e879334aca94d9770dea50bbf847bad3f073c850c5c471', NULL, NULL, NULL, '{}', 1795508521, 1795509421, NULL, NULL);
INSERT INTO public.ticket VALUES (191766350285242368, 191766350669021184, 'code', '\xae592b92df9523146c6534a0b360b2865300eb91d9856e5b14bafdb6b459fe25', 191766350333476864, 191766350310408192, 191766350656438272, '{"redirect_uri":"https://app.example/callback","challenge":"1vIY9Q-dw1379_IPAPtmVXjptLCKtvyCK2BzwuOOK9s","scope":"orders.read offline_access","audience":"https://orders.example","amr":"pwd","auth_time":1795508521,"session":191766350656438272,"session_end":1798100521,"offline":true}', 1795508521, 1795508581, 1795508521, 191766350673215488);
INSERT INTO public.ticket VALUES (191766350285242368, 191766350750810112, 'code', '\x2018f67c2e162f907b0aff61f73f4124af02355710ba3fa3d9f9db5543c1c2ba', 191766350333476864, 191766350310408192, 191766350742421504, '{"redirect_uri":"https://app.example/callback","challenge":"9HfA8ICYdVI8o7z07DuOOhn_7sKPkQ22GpN6dyo_4Zs","scope":"orders.read offline_access","audience":"https://orders.example","amr":"pwd","auth_time":1795508521,"session":191766350742421504,"session_end":1798100521,"offline":true}', 1795508521, 1795508581, 1795508521, 191766350755004416);
INSERT INTO public.ticket VALUES (191766350285242368, 191766350891319296, 'code', '\x61458a85e5766971088c13a3d1488e4ef26378a9ccbf86a38e2fbd393b6757b9', 191766350333476864, 191766350310408192, 191766350882930688, '{"redirect_uri":"https://app.example/callback","challenge":"aUWy333gdDScyq1bN6UPsoIuOtNogzUUe4PaLf9WYDg","scope":"orders.read offline_access","audience":"https://orders.example","amr":"pwd","auth_time":1795508521,"session":191766350882930688,"session_end":1798100521,"offline":true}', 1795508521, 1795508581, 1795508521, 191766350893416448);


--
-- Data for Name: token; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.token VALUES (191766350285242368, 191766350673215489, 'a', '\x0b1142db086d4f7932bde07a34fea3d2d9859c4e3504f51a113719f236c82f5b', 191766350310408192, 191766350333476864, NULL, 191766350673215488, NULL, NULL, 'orders.read offline_access', 'https://orders.example', NULL, 1795508521, 1795512121, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.token VALUES (191766350285242368, 191766350673215490, 'r', '\x5c873b0632cf2050311a0f62380681b793bbb7d9d8490e737d6eb170fa3bb134', 191766350310408192, 191766350333476864, NULL, 191766350673215488, NULL, NULL, 'orders.read offline_access', 'https://orders.example', NULL, 1795508521, 1796718121, NULL, NULL, NULL, 1, 0, NULL, NULL, NULL);
INSERT INTO public.token VALUES (191766350285242368, 191766350893416449, 'a', '\x7b6d83dc1f1f7f38501983fa977bba8d216555a66b6863611a4e05dc87bf9af1', 191766350310408192, 191766350333476864, NULL, 191766350893416448, NULL, NULL, 'orders.read offline_access', 'https://orders.example', NULL, 1795508521, 1795512121, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.token VALUES (191766350285242368, 191766350893416450, 'r', '\xf47e4e52962d6d82166491e2671c8391aa3327c3f1b6e0e3e8fd8fd21a7971d4', 191766350310408192, 191766350333476864, NULL, 191766350893416448, NULL, NULL, 'orders.read offline_access', 'https://orders.example', NULL, 1795508521, 1796718121, NULL, NULL, NULL, 1, 0, NULL, NULL, NULL);
INSERT INTO public.token VALUES (191766350285242368, 191766350755004417, 'a', '\x85f1312bfbd2f2981c3244e4d9d1033c1d489b84f3f982a4bf60162febd6a4ff', 191766350310408192, 191766350333476864, NULL, 191766350755004416, NULL, NULL, 'orders.read offline_access', 'https://orders.example', NULL, 1795508521, 1795512121, 1795508521, NULL, NULL, NULL, 0, NULL, NULL, NULL);
INSERT INTO public.token VALUES (191766350285242368, 191766350755004418, 'r', '\xea0f521e43ae9752c8fa2ddfb6ca6c3bf88a0a22a6cd3e9ce30b6fde8ec03b17', 191766350310408192, 191766350333476864, NULL, 191766350755004416, NULL, NULL, 'orders.read offline_access', 'https://orders.example', NULL, 1795508521, 1796718121, 1795508521, NULL, NULL, 1, 0, NULL, NULL, NULL);
INSERT INTO public.token VALUES (191766350285242368, 191766351950381057, 'a', '\x48c3140d9ec5b27b2cc4abda0698947a36216c2417ff81d39563d8d165bb8b90', 191766350322991106, NULL, NULL, NULL, NULL, NULL, 'orders.read orders.write', 'https://orders.example', NULL, 1795508522, 1795512122, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL);


--
-- Name: account account_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: audit_checkpoint audit_checkpoint_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_checkpoint
    ADD CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (id);


--
-- Name: audit_head audit_head_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (tenant_id);


--
-- Name: audit audit_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: audit_seal audit_seal_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_seal
    ADD CONSTRAINT audit_seal_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: consent consent_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (tenant_id, account_id, client_id);


--
-- Name: dead_node dead_node_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.dead_node
    ADD CONSTRAINT dead_node_pkey PRIMARY KEY (tenant_id, node_id);


--
-- Name: grant_node grant_node_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.grant_node
    ADD CONSTRAINT grant_node_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: limiter limiter_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.limiter
    ADD CONSTRAINT limiter_pkey PRIMARY KEY (tenant_id, name);


--
-- Name: linked_identity linked_identity_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.linked_identity
    ADD CONSTRAINT linked_identity_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: mereau_schema mereau_schema_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mereau_schema
    ADD CONSTRAINT mereau_schema_pkey PRIMARY KEY (version);


--
-- Name: meta meta_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (name);


--
-- Name: object object_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.object
    ADD CONSTRAINT object_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: registration registration_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.registration
    ADD CONSTRAINT registration_pkey PRIMARY KEY (tenant_id, client_id);


--
-- Name: seen seen_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.seen
    ADD CONSTRAINT seen_pkey PRIMARY KEY (tenant_id, hash);


--
-- Name: session_client session_client_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session_client
    ADD CONSTRAINT session_client_pkey PRIMARY KEY (tenant_id, session_id, client_id);


--
-- Name: session session_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: status_list status_list_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.status_list
    ADD CONSTRAINT status_list_pkey PRIMARY KEY (tenant_id, list);


--
-- Name: tenant_key tenant_key_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tenant_key
    ADD CONSTRAINT tenant_key_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: ticket ticket_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ticket
    ADD CONSTRAINT ticket_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: token token_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (tenant_id, id);


--
-- Name: account_email; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX account_email ON public.account USING btree (tenant_id, email);


--
-- Name: account_username; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX account_username ON public.account USING btree (tenant_id, username);


--
-- Name: grant_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX grant_account ON public.grant_node USING btree (tenant_id, account_id);


--
-- Name: grant_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX grant_expires ON public.grant_node USING btree (expires_s);


--
-- Name: limiter_last; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX limiter_last ON public.limiter USING btree (last_s);


--
-- Name: linked_identity_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX linked_identity_account ON public.linked_identity USING btree (tenant_id, account_id);


--
-- Name: linked_identity_who; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX linked_identity_who ON public.linked_identity USING btree (tenant_id, issuer, subject);


--
-- Name: object_name; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX object_name ON public.object USING btree (tenant_id, kind, name);


--
-- Name: outbox_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX outbox_due ON public.outbox USING btree (due_s) WHERE ((delivered_s IS NULL) AND (failed_s IS NULL));


--
-- Name: outbox_object; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX outbox_object ON public.outbox USING btree (tenant_id, object, id) WHERE ((delivered_s IS NULL) AND (failed_s IS NULL));


--
-- Name: registration_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX registration_expires ON public.registration USING btree (expires_s);


--
-- Name: registration_owner; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX registration_owner ON public.registration USING btree (tenant_id, owner_id);


--
-- Name: seen_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX seen_expires ON public.seen USING btree (expires_s);


--
-- Name: session_account; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX session_account ON public.session USING btree (tenant_id, account_id);


--
-- Name: session_client_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX session_client_expires ON public.session_client USING btree (expires_s);


--
-- Name: session_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX session_expires ON public.session USING btree (expires_s);


--
-- Name: status_list_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX status_list_expires ON public.status_list USING btree (expires_s);


--
-- Name: tenant_key_purpose; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX tenant_key_purpose ON public.tenant_key USING btree (tenant_id, purpose);


--
-- Name: ticket_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ticket_expires ON public.ticket USING btree (expires_s);


--
-- Name: token_expires; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX token_expires ON public.token USING btree (expires_s);


--
-- Name: token_grant; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX token_grant ON public.token USING btree (grant_id) WHERE (grant_id IS NOT NULL);


--
-- Name: token_named; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX token_named ON public.token USING btree (tenant_id, account_id) WHERE ((grant_id IS NULL) AND (account_id IS NOT NULL));


--
-- Name: token_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX token_status ON public.token USING btree (tenant_id, status_index, revoked_s) WHERE ((status_index IS NOT NULL) AND (revoked_s IS NOT NULL));


--
-- Name: token_status_live; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX token_status_live ON public.token USING btree (tenant_id, client_id, status_index, revoked_s) WHERE ((status_index IS NOT NULL) AND (revoked_s IS NULL));


--
-- PostgreSQL database dump complete
--

\unrestrict yglVc8FInmBECY2tbQVAZpRsG8Il27c9itvZnC3ST2CupSgWIU2P3I4HaHElums

