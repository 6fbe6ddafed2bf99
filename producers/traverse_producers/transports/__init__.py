"""How events travel.

contract         what a transport must do
kafka            to Kafka
http             to a gateway
gateway_answers  what its answers mean
"""
