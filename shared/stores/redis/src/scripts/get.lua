-- KEYS: whatever holds a text.
return redis.call('GET', KEYS[1])
