-- The tokens of a login, in the statement that judges its code (otp/store/verify.sql): a family with its first access and
-- refresh token. `opened` has one row when the code signed somebody in.
family AS (
  INSERT INTO oidc_tokenfamily (id, client_id, user_id, scope, issuer, sid, auth_time, amr, session_hash, proof_key,
    created_at, expires_at, used_at)
  SELECT %(family)s, %(client)s, opened.user_id, %(scope)s, %(issuer)s, %(family)s, %(now)s,
    CASE WHEN opened.sms_sent THEN %(amr_with_sms)s::jsonb ELSE %(amr)s::jsonb END, opened.session_hash, '',
    %(now)s, %(now)s + %(family_valid)s, %(now)s
  FROM opened
), access AS (
  INSERT INTO oidc_accesstoken (token_hash, family_id, scope, created_at, expires_at)
  SELECT %(access)s, %(family)s, %(scope)s, %(now)s, %(now)s + %(access_valid)s FROM opened
), refresh AS (
  INSERT INTO oidc_refreshtoken (token_hash, family_id, created_at)
  SELECT %(refresh)s, %(family)s, %(now)s FROM opened
)
