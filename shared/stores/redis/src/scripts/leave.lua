-- KEYS: the places under a key. ARGV: the lease.
return redis.call('ZREM', KEYS[1], ARGV[1])
